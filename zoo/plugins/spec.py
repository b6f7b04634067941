"""Define the values that a plugin offers: frozen, with all code behind import strings. No torch here."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import InitVar, dataclass, field
from typing import Any

from zoo.errors import ConfigError, join_names
from zoo.plugins.import_string import check_import_string
from zoo.recipe import Recipe
from zoo.signature import Preprocessing
from zoo.task_info import CLASSIFICATION, TASK_INFO, TaskInfo

NAME_PATTERN = re.compile(r"[a-z0-9]+(?:[-.][a-z0-9]+)*")
SYMMETRIES = ("", "D4")
SOURCED_NAME_PATTERN = re.compile(rf"{NAME_PATTERN.pattern}:[A-Za-z0-9]+(?:[-._]+[A-Za-z0-9]+)*")


def check_name(name: object, kind: str) -> None:
    """Raise a `ConfigError` unless `name` is lower-case words joined by hyphens, such as `gcn-7x7`."""
    if not isinstance(name, str) or len(name) > 80 or not NAME_PATTERN.fullmatch(name):
        raise ConfigError(f"{kind} name {name!r} is not lower-case letters and digits joined by '-', such as gcn-7x7")


def check_model_name(name: object) -> None:
    """Raise a `ConfigError` unless `check_name` accepts it, or it is the name of a source's model: `timm:resnet18`."""
    if not isinstance(name, str) or len(name) > 80 or not SOURCED_NAME_PATTERN.fullmatch(name):
        check_name(name, "model")


def _check_symmetry(symmetry: object, name: str) -> None:
    if symmetry not in SYMMETRIES:
        raise ConfigError(f"{name}: symmetry is 'D4' or left out, not {symmetry!r}")


class FrozenMapping(Mapping[str, Any]):
    """A read-only mapping that can be copied and pickled, unlike `MappingProxyType`."""

    def __init__(self, items: Mapping[str, Any]) -> None:
        self._items = dict(items)

    def __getitem__(self, key: str) -> Any:
        return self._items[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __repr__(self) -> str:
        return repr(self._items)


def freeze_mappings(owner: object, **mappings: Mapping[str, Any]) -> None:
    """Replace mappings of a frozen value by read-only copies."""
    for name, mapping in mappings.items():
        object.__setattr__(owner, name, FrozenMapping(mapping))


DEFAULT_RECIPE = Recipe()
"""The recipe of models without their own: one shared value, so that listing thousands of models stays fast."""


@dataclass(frozen=True, kw_only=True)
class ModelSpec:
    """A model that a plugin offers.

    Args:
        name: `family-variant[-size]`, such as `gcn-7x7`.
        summary: One line for `zoo list`.
        build: Import string of a callable that returns a `torch.nn.Module`. Its signature is the model's config: it
            takes `size`, `channels` and `classes` if they can vary, and no `**kwargs`.
        task: What it learns: `classification` or `generation`.
        config: Values that replace the signature's defaults.
        size: Default height and width of the images.
        channels: Default channels of the images.
        parameters: Number of parameters with this config.
        recipe: The default recipe of `fit`.
        recipes: Other recipes by name, for `fit(recipe="name")`.
        resize: How images of other sizes are resized to `size`; see `zoo.signature.Preprocessing`.
        standardize: Compute mean and std from the first training images; otherwise images stay in [0, 1].
        weights: Reference of its default trained weights, such as `cnn-deep/mnist` or `hf:owner/name@v1`. If empty,
            the weights that ship with zoo under its name.
        symmetry: `D4` if a rotated (by 90 degrees) or mirrored square image gets the same logits;
            `zoo.testing.check_model` tests it.
        pretrained_config: For a net of another library: import string of a callable that takes the model's name, the
            tag of published weights (or None) and the `config.json` beside them (or {}), and returns a
            `zoo.plugins.source.PretrainedConfig`. With it, `pretrained=` also accepts files that the library wrote.
        paper: The publication that describes it.
        tags: Words to search for.
    """

    name: str
    summary: str
    build: str
    size: tuple[int, int]
    channels: int = 1
    parameters: int | None = None
    task: str = CLASSIFICATION.name
    config: Mapping[str, Any] = field(default_factory=dict)
    recipe: Recipe = DEFAULT_RECIPE
    recipes: Mapping[str, Recipe] = field(default_factory=dict)
    resize: str = "area"
    standardize: bool = False
    weights: str = ""
    symmetry: str = ""
    pretrained_config: str = ""
    paper: str = ""
    tags: tuple[str, ...] = ()
    foreign: InitVar[str] = ""  # the name of pretrained_config in the first releases of plugin API 1

    def __post_init__(self, foreign: str) -> None:
        """Check the fields and freeze the mappings."""
        if foreign:
            if self.pretrained_config:
                raise ConfigError(f"{self.name}: foreign is the former name of pretrained_config; give one of the two")
            object.__setattr__(self, "pretrained_config", foreign)
        check_model_name(self.name)
        check_import_string(self.build, self.name)
        if self.pretrained_config != "":
            check_import_string(self.pretrained_config, self.name, "pretrained_config")
        Preprocessing(size=self.size, channels=self.channels, resize=self.resize)
        _check_symmetry(self.symmetry, self.name)
        if self.symmetry and self.task in TASK_INFO and self.task_info.is_generative:
            raise ConfigError(f"{self.name} generates images; leave symmetry out, it describes a classifier")
        for name, recipe in {"recipe": self.recipe, **self.recipes}.items():
            if not isinstance(recipe, Recipe):
                raise ConfigError(f"{self.name}: {name} is not a Recipe but {recipe!r}; write zoo.Recipe(...)")
        freeze_mappings(self, config=self.config, recipes=self.recipes)

    @property
    def task_info(self) -> TaskInfo:
        """Words, names and defaults of the task."""
        return TASK_INFO[self.task]

    def get_recipe(self, name: str | None) -> Recipe:
        """Return the default recipe, or the one that `recipes` has under a name."""
        if name is None:
            return self.recipe
        if not isinstance(name, str) or name not in self.recipes:
            raise ConfigError(
                f"{self.name} has no recipe {name!r}; it has {join_names(self.recipes) or 'only its default'}"
            )
        return self.recipes[name]


@dataclass(frozen=True, kw_only=True)
class EncoderSpec:
    """A graph encoder that a plugin offers: one layer of a graph network, `encoder(nodes, graph) -> nodes`.

    Nodes are (B, N, width) at the input and the output. The graph is one `zoo.graph.PixelGraph` for the whole batch.

    Args:
        name: Such as `gcn`.
        summary: One line for `zoo list encoders`.
        build: Import string of a callable that returns a `torch.nn.Module`. Its signature is the encoder's config: it
            takes `width`, it takes `size` if its weights depend on the grid's height and width, and no `**kwargs`.
        symmetry: `D4` if rotating (by 90 degrees) or mirroring a square grid of nodes rotates or mirrors the output
            and changes nothing else; `zoo.testing.check_encoder` tests it.
        paper: The publication that describes it.
        tags: Words to search for.
    """

    name: str
    summary: str
    build: str
    symmetry: str = ""
    paper: str = ""
    tags: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check the name and the import string."""
        check_name(self.name, "encoder")
        check_import_string(self.build, self.name)
        _check_symmetry(self.symmetry, self.name)


@dataclass(frozen=True, kw_only=True)
class DatasetSpec:
    """A data set that a plugin offers.

    Args:
        name: Such as `fashion-mnist`.
        summary: One line for `zoo list datasets`.
        build: Import string of a callable that takes `download=False` by keyword and returns a `zoo.Dataset`.
        classes: Names of the classes, in the order of their indices.
        size: Height and width of its images.
        channels: Channels of its images: 1 for grey, 3 for colour.
        counts: Number of images of each part: `train`, and `test` if there is one.
        license: Identifier of its licence, such as `CC0-1.0`, or `unstated`.
        source: Its authors and publication.
        bundled: Whether it ships with its plugin and needs no download.
        tags: Words to search for.
    """

    name: str
    summary: str
    build: str
    classes: tuple[str, ...]
    size: tuple[int, int]
    channels: int
    counts: Mapping[str, int]
    license: str
    source: str = ""
    bundled: bool = False
    tags: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check the fields and freeze the mapping."""
        check_name(self.name, "data set")
        check_import_string(self.build, self.name)
        freeze_mappings(self, counts=self.counts)


@dataclass(frozen=True, kw_only=True)
class CallbackSpec:
    """A callback that a plugin offers to `fit(callbacks=["name"])`.

    Args:
        name: Such as `average`.
        summary: One line for `zoo list callbacks`.
        build: Import string of a callable without arguments that returns a `zoo.training.callbacks.Callback`.
    """

    name: str
    summary: str
    build: str

    def __post_init__(self) -> None:
        """Check the name and the import string."""
        check_name(self.name, "callback")
        check_import_string(self.build, self.name)


@dataclass(frozen=True, kw_only=True)
class Command:
    """A command that a plugin adds to the command line `zoo`.

    Args:
        name: The word that is typed after `zoo`.
        summary: One line for `zoo --help`.
        build: Import string of a click command; it is imported when the command is called.
    """

    name: str
    summary: str
    build: str

    def __post_init__(self) -> None:
        """Check the name and the import string."""
        check_name(self.name, "command")
        check_import_string(self.build, self.name)
