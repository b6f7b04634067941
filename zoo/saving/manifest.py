"""The manifest of a saved model, `config.json`: written as JSON with a checksum, and checked when it is read.

`Manifest` has everything that is stored with the weights; `Origin` and `Score` are parts of it. No torch here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from zoo.errors import WeightsError, ZooError
from zoo.files.checked_json import dump_with_checksum, parse_json, verify_checksum
from zoo.recipe import Recipe
from zoo.signature import Classes, Preprocessing
from zoo.task_info import CLASSIFICATION, TASK_INFO, TaskInfo

FORMAT = 2
"""The format of a saved model. Saved models last longer than zoo's code, so raise it only if there is no other way.

Not every change needs a new format. A new field that may be missing needs none: give it a default, write it in
`to_json`, and read it with `if "name" in record`, as `task` is. Any other change of meaning, type or file names does:

1. Save a small model with the old code to `tests/fixtures/`, and test that it still loads. Never write it again.
2. Change `FORMAT` here, and the reading and writing in this module and in `zoo.saving.folder`.
3. Add a function that converts a record of the old format to the new one, and call it in `from_json` after the checksum
   has been verified. Keep the functions of all earlier formats and apply them in order, so that each converts one step.
4. Check that a zoo with the old `FORMAT` refuses the new folder, and names the versions (`_describe_format_error`).
5. Save the models in `weights/` again with `make weights`, and say in CHANGELOG.md what changed.

Checkpoints have a format of their own, `zoo.training.checkpoint.format.FORMAT`.
"""


@dataclass(frozen=True, kw_only=True)
class Origin:
    """The plugin that provides a model: its name, distribution and version."""

    plugin: str
    distribution: str
    version: str

    def __post_init__(self) -> None:
        """Check that all fields are text."""
        if not all(isinstance(value, str) for value in vars(self).values()):
            raise WeightsError(f"plugin, distribution and version are text, not {tuple(vars(self).values())!r}")


@dataclass(frozen=True, kw_only=True)
class Score:
    """The metrics of a model on a data set, and how they were measured.

    Args:
        data: Name of the images, such as `fashion-mnist/test`.
        count: Number of images.
        fingerprint: sha256 of images and labels before resizing, to check that a later score is on the same images.
        metrics: Such as `accuracy` and `macro_f1`, in [0, 1], and `nll`, in nats.
        protocol: How it was measured: resizing, dtype, device, interval.
    """

    data: str
    count: int
    fingerprint: str
    metrics: Mapping[str, float]
    protocol: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check the types of all fields."""
        texts = [self.data, self.fingerprint, *self.metrics, *self.protocol, *self.protocol.values()]
        numbers = [self.count, *self.metrics.values()]
        if not all(isinstance(text, str) for text in texts) or not all(type(n) in (int, float) for n in numbers):
            raise WeightsError(
                "a score has a data set, a count, a fingerprint, metrics (numbers) and a protocol (text)"
            )


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """Everything about a saved model except the values of its tensors.

    Args:
        model: Name in the registry `zoo.models`.
        origin: The plugin that provides it.
        task: Name of its task, a key of `zoo.task_info.TASK_INFO`.
        config: The complete config.
        classes: The classes.
        preprocessing: The preprocessing of its images.
        seed: Seed of its first weights.
        dtype: Dtype of its weights, such as `float32`, or `mixed`.
        parameters: Number of weights.
        recipe: The recipe of the last training, or None if it was never trained.
        data: Name of the images of the last training, or empty.
        base: The weights that training began from, such as `cnn-deep/mnist`; empty if from the seed.
        metrics: Last row of its history.
        scores: Scores on test images, each with its protocol.
        golden: Outputs on fixed images; see `zoo.inference.golden`. Empty if they are not finite.
        license: Identifier of the licence of the weights, such as `mit`, or empty.
        stopped: Why training ended early, or empty.
        versions: Versions of zoo, torch and Python.
        tensors: Dtype, shape and sha256 of each tensor by name.
        files: sha256 of each other file but the card, by name; empty in the manifest inside the weights file.
    """

    model: str
    origin: Origin
    config: Mapping[str, Any]
    classes: Classes
    preprocessing: Preprocessing
    seed: int
    task: str = CLASSIFICATION.name
    dtype: str = "float32"
    parameters: int = 0
    recipe: Recipe | None = None
    data: str = ""
    base: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)
    scores: tuple[Score, ...] = ()
    golden: tuple[tuple[float, ...], ...] = ()
    license: str = ""
    stopped: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    tensors: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)

    @property
    def task_info(self) -> TaskInfo:
        """Words, names and defaults of the task."""
        return TASK_INFO[self.task]

    def to_json(self) -> str:
        """Return the manifest as JSON with a checksum of every other byte."""
        record = {
            "format": FORMAT,
            "model": self.model,
            "task": self.task,
            "plugin": vars(self.origin),
            "config": dict(self.config),
            "classes": {"values": self.classes.values, "names": self.classes.names},
            "preprocessing": vars(self.preprocessing),
            "seed": self.seed,
            "dtype": self.dtype,
            "parameters": self.parameters,
            "recipe": self.recipe.to_json() if self.recipe else None,
            "data": self.data,
            "base": self.base,
            "metrics": dict(self.metrics),
            "scores": [vars(score) for score in self.scores],
            "golden": self.golden,
            "license": self.license,
            "stopped": self.stopped,
            "versions": dict(self.versions),
            "tensors": {name: dict(entry) for name, entry in self.tensors.items()},
            "files": dict(self.files),
        }
        return dump_with_checksum(record)

    def without_files(self) -> Manifest:
        """Return the manifest as it is stored in the header of the weights file."""
        return replace(self, files={})

    @classmethod
    def from_json(cls, text: str | bytes, *, name: str) -> Manifest:
        """Parse a manifest that `to_json` wrote.

        Raises:
            WeightsError: It is damaged, a field is missing or of another type, or it has another format.
        """
        record = parse_json(text, name=name)
        if record.get("format") != FORMAT:
            raise WeightsError(_describe_format_error(record.get("format"), name))
        verify_checksum(text if isinstance(text, str) else text.decode(), record.get("seal"), name=name)

        def read(key: str, kind: type, convert: Callable[[Any], Any] = lambda value: value) -> Any:
            value = record.get(key)
            if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
                raise WeightsError(f"{name}: {key!r} is {_describe_type(value)}, expected {kind.__name__}")
            try:
                return convert(value)
            except (ZooError, TypeError, KeyError, ValueError, AttributeError) as error:
                raise WeightsError(f"{name}: {key!r} cannot be used: {error}") from error

        return cls(
            model=read("model", str),
            task=read("task", str, _check_task) if "task" in record else CLASSIFICATION.name,
            origin=read("plugin", dict, lambda value: Origin(**value)),
            config=read("config", dict, lambda value: {key: _to_tuples(each) for key, each in value.items()}),
            classes=read("classes", dict, lambda value: Classes.of(value["values"], value["names"])),
            preprocessing=read("preprocessing", dict, lambda value: Preprocessing(**value)),
            seed=read("seed", int, _check_count),
            dtype=read("dtype", str),
            parameters=read("parameters", int, _check_count),
            recipe=read("recipe", dict, Recipe.from_json) if record.get("recipe") is not None else None,
            data=read("data", str),
            base=read("base", str),
            metrics=read("metrics", dict, _check_numbers),
            scores=read("scores", list, lambda value: tuple(Score(**each) for each in value)),
            golden=read("golden", list, lambda value: tuple(tuple(float(x) for x in row) for row in value)),
            license=read("license", str),
            stopped=read("stopped", str),
            versions=read("versions", dict, _check_strings),
            tensors=read("tensors", dict, _check_tensor_entries),
            files=read("files", dict, _check_strings),
        )


def _describe_format_error(value: Any, name: str) -> str:
    is_newer = isinstance(value, int) and value > FORMAT
    reason = "it is damaged, not a saved model of zoo, or was saved before zoo 0.2"
    return f"{name} has format {value!r}, this zoo reads {FORMAT}; {'upgrade zoo-models' if is_newer else reason}"


def _check_task(value: str) -> str:
    if value not in TASK_INFO:
        raise ValueError(f"this zoo knows {', '.join(TASK_INFO)}; upgrade zoo-models")
    return value


def _check_count(value: int) -> int:
    if not 0 <= value < 2**63:
        raise ValueError(f"{value} is out of range")
    return value


def _check_numbers(value: Mapping[str, Any]) -> Mapping[str, Any]:
    if not all(type(number) in (int, float) for number in value.values()):
        raise ValueError("not all its values are numbers")
    return value


def _check_strings(value: Mapping[str, Any]) -> Mapping[str, str]:
    if not all(isinstance(text, str) for text in value.values()):
        raise ValueError("not all its values are text")
    return value


def _check_tensor_entries(value: Mapping[str, Any]) -> Mapping[str, Any]:
    for name, entry in value.items():
        if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "sha256"}:
            raise ValueError(f"{name} is not described by dtype, shape and sha256")
    return value


def _to_tuples(value: Any) -> Any:
    return tuple(_to_tuples(each) for each in value) if isinstance(value, list) else value


def _describe_type(value: Any) -> str:
    return "missing" if value is None else type(value).__name__
