"""Weights that another library wrote for its net, as zoo would keep them: safetensors only, never a pickle."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from zoo.errors import UnknownNameError, WeightsError, join_names
from zoo.factory.build import bind_config, build_net
from zoo.files import safetensors as tensors
from zoo.files.checked_json import MAX_JSON_BYTES, parse_json
from zoo.files.paths import expand_path, read_bytes
from zoo.history import History
from zoo.plugins.import_string import import_object
from zoo.plugins.source import PretrainedConfig
from zoo.plugins.spec import ModelSpec
from zoo.saving.artifact import Artifact, check_finite
from zoo.saving.folder import CONFIG, HISTORY, WEIGHTS
from zoo.saving.manifest import Manifest, Origin
from zoo.saving.reference import is_hub_reference, is_path_reference
from zoo.signature import Classes, Preprocessing

PROBE_CLASSES = 1013
"""Classes of a net that is made only to see which tensors depend on them."""

PICKLE_ADVICE = (
    "zoo reads safetensors only, and never opens a pickle such as .pth or .bin; safetensors.torch.save_file writes them"
)


def find_published_weights(spec: ModelSpec, tag: str | None = None) -> str:
    """Return the Hub reference of weights that a model's library publishes: its default ones, or those of a tag.

    Raises:
        UnknownNameError: It publishes none, or none that zoo opens; the message says what to do.
    """
    about = _get_pretrained_config(spec, tag, {})
    if not about.repo_id:
        raise UnknownNameError(f"there are no weights {tag or ''} for {spec.name} to fetch: {about.hint}")
    return f"hf:{about.repo_id}"


def read_third_party_weights(
    spec: ModelSpec, origin: Origin, reference: object, *, allow_nonfinite: bool
) -> tuple[Artifact, str] | None:
    """Return what another library saved for a model as an artifact, and its reference; None if zoo saved it.

    How many classes it was made for is read off the tensors.

    Raises:
        WeightsError: It is no safetensors file, damaged, or holds NaN or infinite values without `allow_nonfinite`.
        HubError: It cannot be fetched.
    """
    if not spec.pretrained_config:
        return None
    located = _locate_weights(reference)
    if located is None:
        return None
    folder, file, name = located
    beside = folder / CONFIG
    config = parse_json(read_bytes(beside, limit=MAX_JSON_BYTES), name=str(beside)) if beside.is_file() else {}
    about = _get_pretrained_config(spec, None, config)
    state, _ = tensors.read_tensors(file)
    if not allow_nonfinite:
        check_finite(state, name=name)
    return _make_artifact(spec, origin, about, state), name


def _get_pretrained_config(spec: ModelSpec, tag: str | None, config: Mapping[str, Any]) -> PretrainedConfig:
    about: PretrainedConfig = import_object(spec.pretrained_config, spec.name)(
        spec.name.rpartition(":")[2], tag, config
    )
    return about


def _locate_weights(reference: object) -> tuple[Path, Path, str] | None:
    """Return folder, file and reference of another library's weights; None if zoo saved them, or they are no file."""
    if is_hub_reference(reference):
        from zoo.hub import fetch_third_party

        fetched = fetch_third_party(str(reference))
        name = f"{str(reference).partition('@')[0]}@{fetched.commit}" if fetched else ""
        return (fetched.folder, fetched.folder / WEIGHTS, name) if fetched else None
    if not is_path_reference(reference):
        return None
    place = expand_path(Path(str(reference)))
    name = str(reference) if is_path_reference(str(reference)) else f"./{reference}"
    if place.is_dir():
        return None if (place / HISTORY).exists() else (place, _find_weights_file(place), name)
    return (place.parent, place, name) if place.is_file() and not _is_zoo_file(place) else None


def _find_weights_file(folder: Path) -> Path:
    """Return the weights of a folder: `model.safetensors`, or the one safetensors file there is."""
    files = sorted(folder.glob("*.safetensors"))
    named = folder / WEIGHTS
    if named not in files and len(files) != 1:
        others = join_names(sorted(path.name for path in folder.iterdir())) or "nothing"
        raise WeightsError(f"{folder} holds {others}, and not one {WEIGHTS}; {PICKLE_ADVICE}")
    return named if named in files else files[0]


def _is_zoo_file(file: Path) -> bool:
    if file.suffix != ".safetensors":
        told = "zoo reads safetensors files only, and never opens a pickle such as .pth or .bin"
        raise WeightsError(
            f"{file} is no .safetensors file; {told}: safetensors.torch.safetensors.torch.save_file writes them"
        )
    return bool(tensors.read_tensors(file)[1])


def _make_artifact(
    spec: ModelSpec, origin: Origin, pretrained_config: PretrainedConfig, state: Mapping[str, Tensor]
) -> Artifact:
    probe = bind_config(
        spec, {"size": pretrained_config.size, "channels": pretrained_config.channels, "classes": PROBE_CLASSES}
    )
    own = build_net(spec, probe, 0).state_dict()
    kept = (
        {key: each for key, each in state.items() if not key.startswith(pretrained_config.ignored_prefixes)}
        if pretrained_config.ignored_prefixes
        else state
    )
    counts = {key: each for key, each in own.items() if key.endswith("num_batches_tracked")}  # old files lack them
    whole = {**counts, **kept}
    config = {**probe, "classes": _infer_num_classes(whole, own)}
    kinds = {str(each.dtype).removeprefix("torch.") for each in whole.values() if each.is_floating_point()}
    manifest = Manifest(
        model=spec.name,
        origin=origin,
        config=config,
        classes=Classes.numbered(config["classes"]),
        preprocessing=Preprocessing(
            size=pretrained_config.size,
            channels=pretrained_config.channels,
            mean=pretrained_config.mean,
            std=pretrained_config.std,
            resize=spec.resize,
        ),
        seed=0,
        dtype=kinds.pop() if len(kinds) == 1 else "mixed",
        license=pretrained_config.license,
        tensors=tensors.describe_tensors(tensors.to_plain_tensors(whole)) if len(kinds) > 1 else {},
    )
    return Artifact(manifest=manifest, state=whole, history=History())


def _infer_num_classes(state: Mapping[str, Tensor], probe_state: Mapping[str, Tensor]) -> int:
    """Return how many classes tensors are made for: what they have where the probe's have its own number."""
    found = {
        state[key].shape[axis]
        for key, each in probe_state.items()
        for axis, length in enumerate(each.shape)
        if length == PROBE_CLASSES and key in state and state[key].ndim == each.ndim
    }
    return found.pop() if len(found) == 1 else PROBE_CLASSES
