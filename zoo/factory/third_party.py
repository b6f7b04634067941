"""Read weights that another library saved for its net: safetensors only, never a pickle."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from zoo.device import format_dtype
from zoo.errors import UnknownNameError, WeightsError, join_names
from zoo.factory.build import bind_config, build_net
from zoo.files import safetensors as tensors
from zoo.files.checked_json import MAX_JSON_BYTES, parse_json
from zoo.files.paths import expand_path, read_bytes
from zoo.plugins.import_string import import_object
from zoo.plugins.source import PretrainedConfig
from zoo.plugins.spec import ModelSpec
from zoo.saving.artifact import Artifact, check_finite
from zoo.saving.folder import CONFIG, HISTORY, WEIGHTS
from zoo.saving.history import History
from zoo.saving.manifest import Manifest, Origin
from zoo.saving.reference import is_hub_reference, is_path_reference
from zoo.signature import Classes, Preprocessing

PROBE_CLASSES = 1013
"""Classes of a net that is built only to see which tensors depend on the number of classes."""
PICKLE_ADVICE = (
    "zoo reads safetensors only, and never opens a pickle such as .pth or .bin; safetensors.torch.save_file writes them"
)


def find_published_weights(spec: ModelSpec, tag: str | None = None) -> str:
    """Return the Hub reference of weights that a model's library publishes.

    Args:
        spec: The model.
        tag: Which weights; the library's default ones if None.

    Raises:
        UnknownNameError: The library publishes none in a format that zoo opens; the message says what to do.
    """
    pretrained_config = _get_pretrained_config(spec, tag, {})
    if not pretrained_config.repo_id:
        raise UnknownNameError(
            f"there are no weights {tag or ''} for {spec.name} to download: {pretrained_config.hint}"
        )
    return f"hf:{pretrained_config.repo_id}"


def read_third_party_weights(
    spec: ModelSpec, origin: Origin, reference: object, *, allow_nonfinite: bool
) -> tuple[Artifact, str] | None:
    """Return weights that another library saved for a model, as an artifact, with their reference.

    The number of classes is read off the shapes of the tensors.

    Args:
        spec: The model.
        origin: The plugin that offers it.
        reference: A Hub reference, or a path to a folder or file.
        allow_nonfinite: Accept NaN and infinite values.

    Returns:
        None if the model's library does not publish weights, if zoo saved the weights, or if there is no such file.

    Raises:
        WeightsError: It is not a safetensors file, is damaged, or has NaN or infinite values without `allow_nonfinite`.
        HubError: It cannot be downloaded.
    """
    if not spec.pretrained_config:
        return None
    location = _locate_weights(reference)
    if location is None:
        return None
    folder, file, name = location
    config_path = folder / CONFIG
    config = (
        parse_json(read_bytes(config_path, limit=MAX_JSON_BYTES), name=str(config_path))
        if config_path.is_file()
        else {}
    )
    pretrained_config = _get_pretrained_config(spec, None, config)
    state, _ = tensors.read_tensors(file)
    if not allow_nonfinite:
        check_finite(state, name=name)
    return _make_artifact(spec, origin, pretrained_config, state), name


def _get_pretrained_config(spec: ModelSpec, tag: str | None, config: Mapping[str, Any]) -> PretrainedConfig:
    get_config = import_object(spec.pretrained_config, spec.name)
    pretrained_config: PretrainedConfig = get_config(spec.name.rpartition(":")[2], tag, config)
    return pretrained_config


def _locate_weights(reference: object) -> tuple[Path, Path, str] | None:
    """Return folder, file and reference of another library's weights; None if zoo saved them or there are none."""
    if is_hub_reference(reference):
        from zoo.hub import fetch_third_party

        download = fetch_third_party(str(reference))
        name = f"{str(reference).partition('@')[0]}@{download.commit}" if download else ""
        return (download.folder, download.folder / WEIGHTS, name) if download else None
    if not is_path_reference(reference):
        return None
    path = expand_path(Path(str(reference)))
    name = str(reference) if is_path_reference(str(reference)) else f"./{reference}"
    if path.is_dir():
        return None if (path / HISTORY).exists() else (path, _find_weights_file(path), name)
    return (path.parent, path, name) if path.is_file() and not _is_zoo_file(path) else None


def _find_weights_file(folder: Path) -> Path:
    """Return the weights file of a folder: `model.safetensors`, or the only safetensors file."""
    files = sorted(folder.glob("*.safetensors"))
    default_path = folder / WEIGHTS
    if default_path not in files and len(files) != 1:
        names = join_names(sorted(path.name for path in folder.iterdir())) or "nothing"
        raise WeightsError(f"{folder} contains {names}, and not one {WEIGHTS}; {PICKLE_ADVICE}")
    return default_path if default_path in files else files[0]


def _is_zoo_file(file: Path) -> bool:
    """Return whether zoo saved a safetensors file.

    Raises:
        WeightsError: It is another kind of file.
    """
    if file.suffix != ".safetensors":
        raise WeightsError(f"{file} is not a .safetensors file; {PICKLE_ADVICE}")
    return bool(tensors.read_tensors(file)[1])


def _make_artifact(
    spec: ModelSpec, origin: Origin, pretrained_config: PretrainedConfig, state: Mapping[str, Tensor]
) -> Artifact:
    """Return the tensors of another library as a saved model; its number of classes is read off the tensors."""
    size, channels = pretrained_config.size, pretrained_config.channels
    probe_config = bind_config(spec, {"size": size, "channels": channels, "classes": PROBE_CLASSES})
    probe_state = build_net(spec, probe_config, 0).state_dict()
    complete_state = _complete_state(state, probe_state, pretrained_config.ignored_prefixes)
    num_classes = _infer_num_classes(complete_state, probe_state)
    dtypes = {format_dtype(tensor.dtype) for tensor in complete_state.values() if tensor.is_floating_point()}
    entries = tensors.describe_tensors(tensors.to_plain_tensors(complete_state)) if len(dtypes) > 1 else {}
    preprocessing = Preprocessing(
        size=size, channels=channels, mean=pretrained_config.mean, std=pretrained_config.std, resize=spec.resize
    )
    manifest = Manifest(
        model=spec.name,
        origin=origin,
        config={**probe_config, "classes": num_classes},
        classes=Classes.numbered(num_classes),
        preprocessing=preprocessing,
        seed=0,
        dtype=dtypes.pop() if len(dtypes) == 1 else "mixed",
        license=pretrained_config.license,
        tensors=entries,
    )
    return Artifact(manifest=manifest, state=complete_state, history=History())


def _complete_state(
    state: Mapping[str, Tensor], probe_state: Mapping[str, Tensor], ignored_prefixes: tuple[str, ...]
) -> dict[str, Tensor]:
    """Return a state without ignored tensors, and with the batch counters that files of old versions lack."""
    counters = {key: tensor for key, tensor in probe_state.items() if key.endswith("num_batches_tracked")}
    weights = {key: tensor for key, tensor in state.items() if not key.startswith(ignored_prefixes)}
    return {**counters, **weights}


def _infer_num_classes(state: Mapping[str, Tensor], probe_state: Mapping[str, Tensor]) -> int:
    """Return the number of classes of a state: its length on the axes where the probe has `PROBE_CLASSES` entries."""
    lengths = {
        state[key].shape[axis]
        for key, tensor in probe_state.items()
        for axis, length in enumerate(tensor.shape)
        if length == PROBE_CLASSES and key in state and state[key].ndim == tensor.ndim
    }
    return lengths.pop() if len(lengths) == 1 else PROBE_CLASSES
