"""Offer the models of another library under a prefix: names, specs, pretrained weights. No torch here.

`Source` is what a plugin offers. `list_registered_models` helps it to list names, and `PretrainedConfig` describes
weights that the library publishes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from zoo.errors import PluginError, UnknownNameError, ZooError, did_you_mean, join_names
from zoo.plugins.import_string import check_import_string, load_object
from zoo.plugins.spec import ModelSpec, check_name

REGISTER_MODEL_PATTERN = re.compile(r"^@register_model\b[^\n]*\n(?:@[^\n]*\n)*def (\w+)\(", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Source:
    """Models of another library under one prefix: `zoo.create("timm:resnet18")` builds one of the source `timm`.

    Iterating over `zoo.models` leaves them out, since there may be thousands. `zoo.models.find("timm:*")` lists them,
    and `zoo.models["timm:resnet18"]` returns one.

    Args:
        name: The prefix, such as `timm`.
        summary: One line for `zoo list sources`.
        names: Import string of a callable that returns the names; it is cheap and does not import the library.
        model: Import string of a callable that takes a name and returns its `ModelSpec`, named `prefix:name`.
        examples: A few names, the ones that `zoo plugins check` tries.
    """

    name: str
    summary: str
    names: str
    model: str
    examples: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check the name and the import strings."""
        check_name(self.name, "source")
        check_import_string(self.names, self.name, "names")
        check_import_string(self.model, self.name, "model")

    def list_names(self) -> tuple[str, ...]:
        """Return every name under the prefix, sorted.

        Raises:
            PluginError: The plugin fails to list them.
        """
        return _load_names(self)

    def get_spec(self, name: str) -> ModelSpec:
        """Return the spec of one model.

        Raises:
            UnknownNameError: There is no such name under the prefix.
            PluginError: The plugin fails, or returns something else than that model's spec.
        """
        names = self.list_names()
        if name not in names:
            suggestion = did_you_mean(f"{self.name}:{name}", [f"{self.name}:{each}" for each in names])
            hint = suggestion or f"; zoo list '{self.name}:*' shows all"
            raise UnknownNameError(f"no model named '{self.name}:{name}'{hint}")
        return _load_spec(self, name)


@cache
def _load_names(source: Source) -> tuple[str, ...]:
    names = _call(source, source.names)
    if isinstance(names, str) or not isinstance(names, Sequence) or not all(isinstance(name, str) for name in names):
        raise PluginError(f"{source.names} of source {source.name!r} returns names, not {names!r}")
    return tuple(sorted(set(names)))


@cache
def _load_spec(source: Source, name: str) -> ModelSpec:
    spec = _call(source, source.model, name)
    if not isinstance(spec, ModelSpec) or spec.name != f"{source.name}:{name}":
        raise PluginError(f"{source.model} of source {source.name!r} returned {spec!r} for {name!r}")
    return spec


def _call(source: Source, target: str, *arguments: str) -> Any:
    """Call a function of a source's plugin; an error that is not a `ZooError` becomes a `PluginError`."""
    try:
        return load_object(target)(*arguments)
    except ZooError:
        raise
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        subject = join_names(arguments) or "its names"
        raise PluginError(f"source {source.name!r} cannot answer {subject}: {reason}") from error


@dataclass(frozen=True, kw_only=True)
class PretrainedConfig:
    """Weights that another library publishes: the images they were trained on, and their repository.

    Args:
        size: Height and width of the images.
        channels: Channels of the images.
        mean: Mean of each channel that was subtracted, for images in [0, 1].
        std: Standard deviation of each channel that it was divided by.
        license: Identifier of the weights' licence, or empty.
        repo_id: Repository `owner/name` on the Hugging Face Hub that holds them as `model.safetensors`; empty if there
            is none.
        hint: What a user can do if there is no repository.
        ignored_prefixes: Prefixes of the names of tensors that the net in zoo lacks, such as auxiliary heads.
    """

    size: tuple[int, int]
    channels: int = 3
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)
    license: str = ""
    repo_id: str = ""
    hint: str = ""
    ignored_prefixes: tuple[str, ...] = ()


def list_registered_models(package: str) -> tuple[str, ...]:
    """Return the names of the functions under `@register_model` in the folder `models` of a package.

    The source files are read without importing the package, since an import takes seconds.

    Raises:
        PluginError: The package is not installed.
    """
    package_spec = find_spec(package)
    if package_spec is None or package_spec.origin is None:
        problem = f"models of {package} need {package}, which is not installed"
        raise PluginError(f"{problem}: pip install 'zoo-models[{package}]'")
    files = sorted((Path(package_spec.origin).parent / "models").glob("*.py"))
    return tuple(sorted({name for file in files for name in REGISTER_MODEL_PATTERN.findall(file.read_text("utf-8"))}))
