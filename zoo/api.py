"""The functions users begin with: `create` and `load` a model, read a `dataset`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from zoo.data import Dataset
from zoo.data.readers import open_lazy_dataset, read_dataset
from zoo.data.readers.locations import get_download_folder
from zoo.data.readers.torchvision import read_torchvision
from zoo.data.transforms import Transform, make_resize
from zoo.errors import PluginError, SourceError, UnknownNameError, ZooError, did_you_mean, join_names
from zoo.factory.assemble import assemble_fresh, find_origin, open_manifest
from zoo.factory.net_state import cast_net
from zoo.factory.third_party import find_published_weights
from zoo.hub.resolve import resolve_reference
from zoo.model import Model
from zoo.plugins.catalog import CATALOG
from zoo.plugins.import_string import import_object
from zoo.plugins.spec import ModelSpec
from zoo.saving import bundled
from zoo.saving.artifact import read_artifact
from zoo.saving.reference import is_path_reference
from zoo.seeding import check_seed, draw_seed


def create(
    name: str, /, *, pretrained: bool | str | Path | None = None, seed: int | None = None, **config: Any
) -> Model:
    """Make a model, with fresh weights or from trained ones.

    Args:
        name: A name in `zoo.models`, or `plugin:name`.
        pretrained: Begin from trained weights: True for the model's default ones, a tag such as `mnist` for
            `name/mnist`, or anything `zoo.load` takes; for nets of timm and torchvision also a safetensors file or
            folder that those libraries wrote, and the tags under which timm publishes weights. Options that `config`
            leaves out are those of the saved model; other classes get a fresh head, other channels a first layer spread
            over them. `model.report` says what happened to each tensor.
        seed: Seed of the weights; the same seed gives the same weights. A random one when left out, stored in
            `model.seed`. Global random states do not change.
        **config: Options of the model, such as `size=7`, `channels=3`, `classes=100`; see `zoo info NAME`.

    Raises:
        UnknownNameError: No plugin offers that name, or there are no such weights.
        ConfigError: An option that the model does not take, or a value of the wrong type.
        WeightsError: The trained weights are damaged, or do not fit the options.
    """
    if seed is not None:
        check_seed(seed)
    registry = CATALOG.registry("models")
    spec, owner, seed = registry[name], registry.owner(name), draw_seed() if seed is None else seed
    if pretrained is None or pretrained is False:
        return Model(assemble_fresh(spec, owner, config, seed))
    reference, manifest = open_manifest(spec, find_origin(owner), _resolve_pretrained(spec, pretrained))
    saved = {key: value for key, value in manifest.config.items() if key not in config}
    model = Model(assemble_fresh(spec, owner, {**saved, **config}, seed))
    cast_net(model.net, manifest)
    model.load_weights(reference)
    return model


def _resolve_pretrained(spec: ModelSpec, pretrained: bool | str | Path) -> str | Path:
    """Return the reference that `create(pretrained=)` means."""
    is_tag = isinstance(pretrained, str) and pretrained and "/" not in pretrained and not is_path_reference(pretrained)
    if spec.pretrained_config and not spec.weights and (pretrained is True or is_tag):
        return find_published_weights(spec, None if pretrained is True else str(pretrained))
    if pretrained is True:
        names = [name for name in bundled.list_folders() if name.startswith(f"{spec.name}/")]
        if not spec.weights and not names:
            raise UnknownNameError(
                f"there are no trained weights for {spec.name}; zoo.trained has {join_names(bundled.list_folders())}; "
                "pretrained also takes a folder or 'hf:owner/name'"
            )
        return spec.weights or names[0]
    if not isinstance(pretrained, str | Path) or pretrained == "":
        raise UnknownNameError(f"pretrained is True, a tag such as 'mnist', or a reference, not {pretrained!r}")
    return f"{spec.name}/{pretrained}" if is_tag else pretrained


def load(reference: str | Path, *, partial: bool = False, allow_nonfinite: bool = False) -> Model:
    """Load a saved model, in eval mode; global random states do not change.

    Args:
        reference: A name in `zoo.trained`, such as `gcn-7x7/fashion-mnist`; a repository on the Hugging Face Hub,
            `hf:owner/name` or `hf:owner/name@revision`; or what `Model.save` wrote: a `Path`, or a string that begins
            with `.`, `/` or `~`, of the folder or of its `model.safetensors` alone.
        partial: Load the tensors that fit, and keep the seed's weights elsewhere.
        allow_nonfinite: Accept NaN and infinite values.

    Raises:
        UnknownNameError: There is no such reference, or no installed plugin provides its model.
        WeightsError: A file is missing, damaged, or does not fit the model.
        HubError: The repository cannot be downloaded.
    """
    resolved = resolve_reference(reference)
    artifact = read_artifact(resolved.folder, allow_nonfinite=allow_nonfinite)
    return Model.from_artifact(artifact, reference=resolved.reference, partial=partial)


def dataset(
    name: str | Path,
    *,
    download: bool = False,
    size: int | tuple[int, int] | None = None,
    resize: str = "area",
    lazy: bool = False,
) -> Dataset:
    """Return a data set with `.train` and `.test`, each read at first use.

    Args:
        name: A name in `zoo.datasets`; `torchvision:CIFAR10` for a data set of torchvision; or a folder or file: a
            `Path`, or a string that begins with `.`, `/` or `~` (see `zoo.data.readers.read_dataset`).
        download: Download it if it is not on this machine.
        size: Height and width to resize images to, or one number for both; their own when left out. Images of several
            sizes in a folder need it.
        resize: How to resize: `area` or `sample`; see `zoo.signature.Preprocessing`.
        lazy: Leave the images of a folder or file on disk, and read them batch by batch.

    Raises:
        UnknownNameError: No plugin offers that name.
        SourceError: It is not on this machine, or cannot be read.
    """
    if not isinstance(name, str | Path):
        raise UnknownNameError(f"no data set named {name!r}; there is {join_names(CATALOG.registry('datasets'))}")
    if lazy:
        if not is_path_reference(name):
            raise SourceError(f"{name!r} is not a folder or file; lazy=True reads only those")
        return open_lazy_dataset(name, None if size is None else make_resize(size, resize))
    if size is None:
        return _read_dataset(name, download, None)
    original = _read_dataset(name, download, make_resize(size, resize))
    return Dataset(
        train=lambda: original.train.resize(size, mode=resize),
        test=lambda: original.test.resize(size, mode=resize),
        name=original.name,
    )


def _read_dataset(name: str | Path, download: bool, transform: Transform | None) -> Dataset:
    if is_path_reference(name):
        return read_dataset(name, transform)
    if str(name).startswith("torchvision:"):
        tv_name = str(name).partition(":")[2]
        return read_torchvision(tv_name, root=get_download_folder(), download=download, transform=transform)
    spec = _find_dataset_spec(str(name))
    read = import_object(spec.build, spec.name)
    try:
        dataset = read(download=download)
    except ZooError:
        raise
    except Exception as error:  # the code is a plugin's and may raise anything
        problem = f"{type(error).__name__}: {error}"
        raise PluginError(f"{spec.name} cannot be read by {spec.build}: {problem}; report it to its author") from error
    if not isinstance(dataset, Dataset):
        raise PluginError(f"{spec.name}: {spec.build} returned {type(dataset).__name__}, not a zoo.Dataset")
    dataset.name = spec.name
    return dataset


def _find_dataset_spec(name: str) -> Any:
    registry = CATALOG.registry("datasets")
    if name not in registry and Path(name).exists():
        raise UnknownNameError(f"no data set named {name!r}; for the folder write './{name}'")
    if name not in registry:
        hint = did_you_mean(name, registry) or f"; there is {join_names(registry)}"
        raise UnknownNameError(
            f"no data set named {name!r}{hint}; a folder begins with './'{CATALOG.quarantine_hint()}"
        )
    return registry[name]
