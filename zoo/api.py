"""The front desk: make, load, and find a data set."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zoo import weights
from zoo.build import bound, built, resolved
from zoo.data import Dataset
from zoo.data.resize import Prepare, to_size
from zoo.data.sources import dataset_at
from zoo.data.sources.places import download_folder
from zoo.data.sources.vision import torchvision_dataset
from zoo.errors import ConfigError, PluginError, UnknownNameError, WeightsError, did_you_mean, listed
from zoo.manifest import Manifest, Origin
from zoo.model import Model
from zoo.plugins import CATALOGUE
from zoo.randomness import check_seed, fresh_seed
from zoo.reference import is_folder
from zoo.spec import ModelSpec


def create(name: str, /, *, seed: int | None = None, **config: Any) -> Model:
    """Make a model with fresh weights.

    Args:
        name: A name on `zoo.models`, or `plugin:name`.
        seed: Seed of the weights; the same seed gives the same weights. Drawn anew when left out, and kept in
            `model.seed`. Global random states stay as they were.
        **config: Options of the model, such as `size=7`, `channels=3`, `classes=100`; see `zoo info NAME`.

    Raises:
        UnknownNameError: No plugin offers that name.
        ConfigError: An option the model does not take, or a value of the wrong type.
    """
    if seed is not None:
        check_seed(seed)
    shelf = CATALOGUE.shelf("models")
    return _made(shelf[name], shelf.owner(name), config, fresh_seed() if seed is None else seed)


def _made(spec: ModelSpec, owner: str, config: Mapping[str, Any], seed: int) -> Model:
    plugin = next(plugin for plugin in CATALOGUE.plugins() if plugin.name == owner)
    origin = Origin(plugin=plugin.name, distribution=plugin.distribution, version=plugin.version)
    if spec.task != "classification":
        raise PluginError(f"{spec.name} learns {spec.task!r}; this zoo knows classification, upgrade zoo-models")
    complete = bound(spec, config)
    return Model(spec, origin=origin, config=complete, net=built(spec, complete, seed).eval(), seed=seed)


def load(reference: str | Path) -> Model:
    """Load a saved model, in eval mode.

    Args:
        reference: Weights that ship with zoo, such as `gcn-7x7/fashion-mnist`; or the folder that `Model.save` wrote:
            a `Path`, or a string that begins with `.`, `/` or `~`.

    Raises:
        UnknownNameError: The reference is neither, or no installed plugin provides the model.
        WeightsError: A file is missing, damaged, or does not fit the model.
    """
    folder = Path(reference) if is_folder(reference) else _shipped(reference)
    artifact = weights.read(folder)
    manifest = artifact.manifest
    spec, owner = _provider(manifest)
    model = _made(spec, owner, _known_config(spec, manifest), manifest.seed)
    weights.check_fit(artifact.state, model.net.state_dict(), name=str(folder / weights.WEIGHTS))
    model.net.load_state_dict(dict(artifact.state))
    if len(manifest.classes) != len(model.classes):
        raise WeightsError(f"{folder} names {len(manifest.classes)} classes for a model of {len(model.classes)}")
    if (manifest.preprocessing.size, manifest.preprocessing.channels) != (
        model.preprocessing.size,
        model.preprocessing.channels,
    ):
        raise WeightsError(f"{folder}: the size or channels of its preprocessing are not those of its config")
    model.classes, model.preprocessing = manifest.classes, manifest.preprocessing
    model.history, model.recipe, model.data = artifact.history, manifest.recipe, manifest.data
    return model


def _shipped(reference: object) -> Path:
    known = weights.shipped()
    if reference not in known:
        near = did_you_mean(str(reference), known)
        raise UnknownNameError(
            f"{reference!r} is no folder, and no weights that ship with zoo ({listed(known) or 'none do'}){near}; "
            f"a folder is a Path, or a string that begins with '.' or '/', such as './{reference}'"
        )
    return known[str(reference)]


def _provider(manifest: Manifest) -> tuple[ModelSpec, str]:
    """Return the model of the installed distribution a manifest names; never code from the folder, nor a namesake."""
    origin = manifest.origin
    for plugin in CATALOGUE.plugins():
        for spec in plugin.offered("models"):
            if (plugin.distribution, spec.name) == (origin.distribution, manifest.model):
                return spec, plugin.name
    raise UnknownNameError(
        f"no installed plugin provides {manifest.model!r}; it was saved with plugin {origin.plugin} of "
        f"{origin.distribution} {origin.version}: pip install {origin.distribution}"
    )


def _known_config(spec: ModelSpec, manifest: Manifest) -> Mapping[str, Any]:
    try:
        bound(spec, manifest.config)
    except (ConfigError, PluginError) as error:
        raise WeightsError(f"the config saved with {manifest.model} cannot be used: {error}") from error
    return manifest.config


def dataset(
    name: str | Path, *, download: bool = False, size: int | tuple[int, int] | None = None, how: str = "area"
) -> Dataset:
    """Return a data set with `.train` and `.test`, each read at the first look.

    Args:
        name: A name on `zoo.datasets`; `torchvision:CIFAR10` for a data set of torchvision; or a folder or file: a
            `Path`, or a string that begins with `.`, `/` or `~` (see `zoo.data.sources.dataset_at`).
        download: Fetch it when it is not on this machine.
        size: Height and width, or one number for both, that images are brought to; their own when left out. Pictures
            of several sizes in a folder need it.
        how: How they are brought there: `area` or `sample`; see `zoo.signature.Preprocessing`.

    Raises:
        UnknownNameError: No plugin offers that name.
        SourceError: It is not on this machine, or cannot be read.
    """
    if not isinstance(name, str | Path):
        raise UnknownNameError(f"no data set named {name!r}; there is {listed(CATALOGUE.shelf('datasets'))}")
    if size is None:
        return _found(name, download, None)
    found = _found(name, download, to_size(size, how))
    return Dataset(
        train=lambda: found.train.resize(size, how=how), test=lambda: found.test.resize(size, how=how), name=found.name
    )


def _found(name: str | Path, download: bool, prepare: Prepare | None) -> Dataset:
    if is_folder(name):
        return dataset_at(name, prepare)
    if str(name).startswith("torchvision:"):
        return torchvision_dataset(
            str(name).partition(":")[2], root=download_folder(), download=download, prepare=prepare
        )
    spec = _dataset_spec(str(name))
    made = resolved(spec.build, spec.name)(download=download)
    if not isinstance(made, Dataset):
        raise PluginError(f"{spec.name}: {spec.build} returned {type(made).__name__}, not a zoo.Dataset")
    made.name = spec.name
    return made


def _dataset_spec(name: str) -> Any:
    shelf = CATALOGUE.shelf("datasets")
    if name not in shelf and Path(name).exists():
        raise UnknownNameError(f"no data set named {name!r}; for the folder say './{name}'")
    if name not in shelf:
        near = did_you_mean(name, shelf)
        raise UnknownNameError(
            f"no data set named {name!r}{near or f'; there is {listed(shelf)}'}; a folder begins with './'"
        )
    return shelf[name]
