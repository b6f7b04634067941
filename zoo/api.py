"""The front desk: make, load, and find a data set."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zoo.data import Dataset
from zoo.data.readers import open_lazy_dataset, read_dataset
from zoo.data.readers.locations import get_download_folder
from zoo.data.readers.torchvision import read_torchvision
from zoo.data.transforms import Transform, make_resize
from zoo.errors import PluginError, SourceError, UnknownNameError, ZooError, did_you_mean, join_names
from zoo.factory.adapt import adapt_state_dict
from zoo.factory.build import bind_config, build_net
from zoo.factory.net_state import cast_net, load_state
from zoo.factory.provider import bind_saved_config, check_config_size, find_provider, get_io_shape
from zoo.factory.third_party import find_published_weights, read_third_party_weights
from zoo.hub.resolve import resolve_reference
from zoo.model import Model
from zoo.plugins.catalog import CATALOG
from zoo.plugins.import_string import import_object
from zoo.plugins.spec import ModelSpec
from zoo.saving import artifact as weights
from zoo.saving import bundled as shipped
from zoo.saving import folder
from zoo.saving.manifest import Manifest, Origin
from zoo.saving.reference import is_path_reference
from zoo.seeding import check_seed, draw_seed
from zoo.tasks import TASKS


def create(
    name: str, /, *, pretrained: bool | str | Path | None = None, seed: int | None = None, **config: Any
) -> Model:
    """Make a model: with fresh weights, or one that begins from trained ones.

    Args:
        name: A name on `zoo.models`, or `plugin:name`.
        pretrained: Begin from trained weights: True for the model's default ones, a tag such as `mnist` for
            `name/mnist`, or anything `zoo.load` takes; for nets of timm and torchvision also a safetensors file or
            folder that those libraries wrote, and the tags under which timm publishes weights. What `config` leaves
            out is as it was saved; other classes get a fresh head, other channels a first layer spread over them.
            `model.report` says what became of each tensor.
        seed: Seed of the weights; the same seed gives the same weights. Drawn anew when left out, and kept in
            `model.seed`. Global random states stay as they were.
        **config: Options of the model, such as `size=7`, `channels=3`, `classes=100`; see `zoo info NAME`.

    Raises:
        UnknownNameError: No plugin offers that name, or there are no such weights.
        ConfigError: An option the model does not take, or a value of the wrong type.
        WeightsError: The trained weights are damaged, or do not fit the options.
    """
    if seed is not None:
        check_seed(seed)
    shelf = CATALOG.registry("models")
    spec, number = shelf[name], draw_seed() if seed is None else seed
    if pretrained is None or pretrained is False:
        return _create_model(spec, shelf.owner(name), config, number)
    reference, manifest = _read_pretrained(spec, shelf.owner(name), pretrained)
    saved = {key: value for key, value in manifest.config.items() if key not in config}
    model = _create_model(spec, shelf.owner(name), {**saved, **config}, number)
    cast_net(model.net, manifest)
    model.load_weights(reference)
    return model


def _read_pretrained(spec: ModelSpec, owner: str, pretrained: bool | str | Path) -> tuple[str | Path, Manifest]:
    """Return the reference of a model's trained weights, and their manifest."""
    reference = _resolve_pretrained(spec, pretrained)
    given = read_third_party_weights(spec, _find_origin(owner), reference, allow_nonfinite=True)
    if given is not None:
        return given[1], given[0].manifest
    place = resolve_reference(reference)
    return place.reference, folder.read_model_files(place.folder).manifest


def _resolve_pretrained(spec: ModelSpec, pretrained: bool | str | Path) -> str | Path:
    """Return the reference of a model's trained weights."""
    is_tag = isinstance(pretrained, str) and pretrained and "/" not in pretrained and not is_path_reference(pretrained)
    if spec.pretrained_config and not spec.weights and (pretrained is True or is_tag):
        return find_published_weights(spec, None if pretrained is True else str(pretrained))
    if pretrained is True:
        own = [name for name in shipped.list_folders() if name.startswith(f"{spec.name}/")]
        if not spec.weights and not own:
            raise UnknownNameError(
                f"there are no trained weights for {spec.name}; zoo.trained has {join_names(shipped.list_folders())}; "
                "pretrained also takes a folder or 'hf:owner/name'"
            )
        return spec.weights or own[0]
    if not isinstance(pretrained, str | Path) or pretrained == "":
        raise UnknownNameError(f"pretrained is True, a tag such as 'mnist', or a reference, not {pretrained!r}")
    return f"{spec.name}/{pretrained}" if is_tag else pretrained


def _find_origin(owner: str) -> Origin:
    plugin = next(plugin for plugin in CATALOG.plugins() if plugin.name == owner)
    return Origin(plugin=plugin.name, distribution=plugin.distribution, version=plugin.version)


def _create_model(spec: ModelSpec, owner: str, config: Mapping[str, Any], seed: int) -> Model:
    if spec.task not in TASKS:
        raise PluginError(f"{spec.name} learns {spec.task!r}; this zoo knows {join_names(TASKS)}, upgrade zoo-models")
    complete = bind_config(spec, config)
    return Model(
        spec, origin=_find_origin(owner), config=complete, net=build_net(spec, complete, seed).eval(), seed=seed
    )


def load(reference: str | Path, *, partial: bool = False, allow_nonfinite: bool = False) -> Model:
    """Load a saved model, in eval mode; global random states stay as they were.

    Args:
        reference: Weights on `zoo.trained`, such as `gcn-7x7/fashion-mnist`; a repository on the Hugging Face Hub,
            `hf:owner/name` or `hf:owner/name@revision`; or what `Model.save` wrote: a `Path`, or a string that begins
            with `.`, `/` or `~`, of the folder or of its `model.safetensors` alone.
        partial: Load what fits, and leave the rest as its seed makes it.
        allow_nonfinite: Load NaN and infinite values too.

    Raises:
        UnknownNameError: There is no such reference, or no installed plugin provides its model.
        WeightsError: A file is missing, damaged, or does not fit the model.
        HubError: The repository cannot be fetched.
    """
    place = resolve_reference(reference)
    artifact = weights.read_artifact(place.folder, allow_nonfinite=allow_nonfinite)
    manifest = artifact.manifest
    spec, owner = find_provider(manifest)
    config = bind_saved_config(spec, manifest)
    check_config_size(manifest)
    model = _create_model(spec, owner, config, manifest.seed)
    cast_net(model.net, manifest)
    form, own = get_io_shape(spec, model.config), model.net.state_dict()
    state, report = adapt_state_dict(
        artifact.state, own, source_shape=form, target_shape=form, partial=partial, name=place.reference
    )
    load_state(model.net, state)
    model.report = report
    model.classes, model.preprocessing = manifest.classes, manifest.preprocessing
    model.history, model.recipe, model.data = artifact.history, manifest.recipe, manifest.data
    model.scores, model.license, model.base = manifest.scores, manifest.license, manifest.base
    model.reference, model.card = place.reference, artifact.card
    return model


def dataset(
    name: str | Path,
    *,
    download: bool = False,
    size: int | tuple[int, int] | None = None,
    resize: str = "area",
    lazy: bool = False,
) -> Dataset:
    """Return a data set with `.train` and `.test`, each read at the first look.

    Args:
        name: A name on `zoo.datasets`; `torchvision:CIFAR10` for a data set of torchvision; or a folder or file: a
            `Path`, or a string that begins with `.`, `/` or `~` (see `zoo.data.readers.dataset_at`).
        download: Fetch it when it is not on this machine.
        size: Height and width, or one number for both, that images are brought to; their own when left out. Pictures
            of several sizes in a folder need it.
        resize: How they are brought there: `area` or `sample`; see `zoo.signature.Preprocessing`.
        lazy: Leave the images of a folder or file where they are, and read them batch by batch.

    Raises:
        UnknownNameError: No plugin offers that name.
        SourceError: It is not on this machine, or cannot be read.
    """
    if not isinstance(name, str | Path):
        raise UnknownNameError(f"no data set named {name!r}; there is {join_names(CATALOG.registry('datasets'))}")
    if lazy:
        if not is_path_reference(name):
            raise SourceError(f"{name!r} is no folder or file; only those can stay on the disk")
        return open_lazy_dataset(name, None if size is None else make_resize(size, resize))
    if size is None:
        return _read_dataset(name, download, None)
    found = _read_dataset(name, download, make_resize(size, resize))
    return Dataset(
        train=lambda: found.train.resize(size, mode=resize),
        test=lambda: found.test.resize(size, mode=resize),
        name=found.name,
    )


def _read_dataset(name: str | Path, download: bool, prepare: Transform | None) -> Dataset:
    if is_path_reference(name):
        return read_dataset(name, prepare)
    if str(name).startswith("torchvision:"):
        return read_torchvision(
            str(name).partition(":")[2], root=get_download_folder(), download=download, transform=prepare
        )
    spec = _find_dataset_spec(str(name))
    read = import_object(spec.build, spec.name)
    try:
        made = read(download=download)
    except ZooError:
        raise
    except Exception as error:  # a stranger's code
        told = f"{type(error).__name__}: {error}"
        raise PluginError(f"{spec.name} cannot be read by {spec.build}: {told}; tell its author") from error
    if not isinstance(made, Dataset):
        raise PluginError(f"{spec.name}: {spec.build} returned {type(made).__name__}, not a zoo.Dataset")
    made.name = spec.name
    return made


def _find_dataset_spec(name: str) -> Any:
    shelf = CATALOG.registry("datasets")
    if name not in shelf and Path(name).exists():
        raise UnknownNameError(f"no data set named {name!r}; for the folder say './{name}'")
    if name not in shelf:
        near = did_you_mean(name, shelf)
        told = f"no data set named {name!r}{near or f'; there is {join_names(shelf)}'}; a folder begins with './'"
        raise UnknownNameError(f"{told}{CATALOG.quarantine_hint()}")
    return shelf[name]
