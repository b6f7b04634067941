"""The metadata at the top of a README: read, and checked for what it must say."""

import re
from typing import Any

import yaml

FRONT = re.compile(r"\A\ufeff?\s*---[ \t]*\r?\n(.*?)^---[ \t]*\r?$", re.DOTALL | re.MULTILINE)
WORDS = ("library_name", "pipeline_tag")
RESULT = ("task.type", "dataset.name", "dataset.type")
METRIC = {"type", "value"}


def metadata(text: str) -> Any:
    """Return what the YAML at the top says, None where there is none; raise yaml's error where it is broken."""
    front = FRONT.search(text)
    return yaml.safe_load(front[1]) if front else None


def body(text: str) -> str:
    """Return the text below the metadata."""
    return FRONT.sub("", text, count=1).lstrip("\r\n")


def complaints(text: str) -> tuple[list[str], list[str]]:
    """Return the errors and the warnings of a card; stricter than the Hub itself, which asks for no license."""
    try:
        found = metadata(text)
    except yaml.YAMLError as error:
        return [f"the YAML metadata cannot be read: {error}"], []
    if found is None:
        return [], ["empty or missing yaml metadata in repo card"]
    if not isinstance(found, dict):
        return ["the YAML metadata should be a mapping"], []
    return [*wrong_fields(found), *wrong_results(found.get("model-index", []))], []


def wrong_fields(found: dict[str, Any]) -> list[str]:
    """Return what is wrong with the fields every card may have."""
    wrong = [] if isinstance(found.get("license"), str | list) else ['"license" is required']
    if not all(isinstance(each, str) for each in as_list(found.get("tags"))):
        wrong.append('"tags" must be an array of strings')
    wrong += [f'"{name}" must be a string' for name in WORDS if not isinstance(found.get(name, ""), str)]
    return wrong


def wrong_results(index: Any) -> list[str]:
    """Return what each result of a model-index lacks, by its place."""
    if not isinstance(index, list) or not all(isinstance(model, dict) for model in index):
        return ['"model-index" must be an array of objects']
    wrong = [f'"model-index[{at}].name" is required' for at, model in enumerate(index) if not model.get("name")]
    for at, model in enumerate(index):
        for place, result in enumerate(as_list(model.get("results"))):
            wrong += [f'"model-index[{at}].results[{place}].{name}" is required' for name in lacking(result)]
    return wrong


def lacking(result: Any) -> list[str]:
    """Return the fields a result must have and has not."""
    if not isinstance(result, dict):
        return list(RESULT)
    missing = [name for name in RESULT if not at_path(result, name.split("."))]
    metrics = [each if isinstance(each, dict) else {} for each in as_list(result.get("metrics"))]
    both = [
        f"metrics[{at}].{name}" for at, each in enumerate(metrics) for name in ("type", "value") if name not in each
    ]
    return missing + (both if metrics else ["metrics"])


def at_path(value: Any, names: list[str]) -> Any:
    """Return what lies under these names, one in another; None where one is missing."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def tags(found: Any) -> list[str]:
    """Return the tags a repository is listed under."""
    if not isinstance(found, dict):
        return []
    plain = [found.get("library_name"), found.get("pipeline_tag"), *as_list(found.get("tags"))]
    spoken = [f"{name}:{each}" for name in ("license", "dataset") for each in as_list(found.get(name))]
    spoken += [f"dataset:{each}" for each in as_list(found.get("datasets"))]
    return list(dict.fromkeys(str(each) for each in [*plain, *spoken] if each))


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
