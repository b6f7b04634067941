"""Weights that another library wrote for its net, as zoo would keep them: safetensors only, never a pickle."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from zoo.errors import UnknownNameError, WeightsError, listed
from zoo.factory.build import bound, built, resolved
from zoo.files import safetensors as tensors
from zoo.files.checked_json import MAX_BYTES, parsed
from zoo.files.paths import expanded
from zoo.history import History
from zoo.plugins.foreign import Foreign
from zoo.plugins.spec import ModelSpec
from zoo.saving.artifact import Artifact, check_finite
from zoo.saving.folder import CONFIG, HISTORY, WEIGHTS, bytes_of
from zoo.saving.manifest import Manifest, Origin
from zoo.saving.reference import is_folder, is_hub
from zoo.signature import Classes, Preprocessing

PROBE = 1013
"""Classes of a net that is made only to see which tensors depend on them."""

PICKLES = (
    "zoo reads safetensors only, and never opens a pickle such as .pth or .bin; safetensors.torch.save_file writes them"
)


def published(spec: ModelSpec, tag: str | None = None) -> str:
    """Return the Hub reference of weights that a model's library publishes: its default ones, or those of a tag.

    Raises:
        UnknownNameError: It publishes none, or none that zoo opens; the message says what to do.
    """
    about = _about(spec, tag, {})
    if not about.repo:
        raise UnknownNameError(f"there are no weights {tag or ''} for {spec.name} to fetch: {about.instead}")
    return f"hf:{about.repo}"


def borrowed(spec: ModelSpec, origin: Origin, reference: object, *, nonfinite: bool) -> tuple[Artifact, str] | None:
    """Return what another library saved for a model as an artifact, and its reference; None if zoo saved it.

    How many classes it was made for is read off the tensors.

    Raises:
        WeightsError: It is no safetensors file, damaged, or holds NaN or infinite values without `nonfinite`.
        HubError: It cannot be fetched.
    """
    if not spec.foreign:
        return None
    located = _located(reference)
    if located is None:
        return None
    folder, file, name = located
    beside = folder / CONFIG
    config = parsed(bytes_of(beside, limit=MAX_BYTES), name=str(beside)) if beside.is_file() else {}
    about = _about(spec, None, config)
    state, _ = tensors.read(file)
    if not nonfinite:
        check_finite(state, name=name)
    return _artifact(spec, origin, about, state), name


def _about(spec: ModelSpec, tag: str | None, config: Mapping[str, Any]) -> Foreign:
    about: Foreign = resolved(spec.foreign, spec.name)(spec.name.rpartition(":")[2], tag, config)
    return about


def _located(reference: object) -> tuple[Path, Path, str] | None:
    """Return folder, file and reference of another library's weights; None if zoo saved them, or they are no file."""
    if is_hub(reference):
        from zoo.hub import fetch

        fetched = fetch(str(reference))
        name = f"{str(reference).partition('@')[0]}@{fetched.commit}" if fetched else ""
        return (fetched.folder, fetched.folder / WEIGHTS, name) if fetched else None
    if not is_folder(reference):
        return None
    place = expanded(Path(str(reference)))
    name = str(reference) if is_folder(str(reference)) else f"./{reference}"
    if place.is_dir():
        return None if (place / HISTORY).exists() else (place, _only(place), name)
    return (place.parent, place, name) if place.is_file() and not _is_ours(place) else None


def _only(folder: Path) -> Path:
    """Return the weights of a folder: `model.safetensors`, or the one safetensors file there is."""
    files = sorted(folder.glob("*.safetensors"))
    named = folder / WEIGHTS
    if named not in files and len(files) != 1:
        others = listed(sorted(path.name for path in folder.iterdir())) or "nothing"
        raise WeightsError(f"{folder} holds {others}, and not one {WEIGHTS}; {PICKLES}")
    return named if named in files else files[0]


def _is_ours(file: Path) -> bool:
    if file.suffix != ".safetensors":
        told = "zoo reads safetensors files only, and never opens a pickle such as .pth or .bin"
        raise WeightsError(
            f"{file} is no .safetensors file; {told}: safetensors.torch.safetensors.torch.save_file writes them"
        )
    return bool(tensors.read(file)[1])


def _artifact(spec: ModelSpec, origin: Origin, about: Foreign, state: Mapping[str, Tensor]) -> Artifact:
    probe = bound(spec, {"size": about.size, "channels": about.channels, "classes": PROBE})
    own = built(spec, probe, 0).state_dict()
    kept = {key: each for key, each in state.items() if not key.startswith(about.ignored)} if about.ignored else state
    counts = {key: each for key, each in own.items() if key.endswith("num_batches_tracked")}  # old files lack them
    whole = {**counts, **kept}
    config = {**probe, "classes": _classes(whole, own)}
    kinds = {str(each.dtype).removeprefix("torch.") for each in whole.values() if each.is_floating_point()}
    manifest = Manifest(
        model=spec.name,
        origin=origin,
        config=config,
        classes=Classes.numbered(config["classes"]),
        preprocessing=Preprocessing(
            size=about.size, channels=about.channels, mean=about.mean, std=about.std, resize=spec.resize
        ),
        seed=0,
        dtype=kinds.pop() if len(kinds) == 1 else "mixed",
        license=about.license,
        tensors=tensors.described(tensors.plain(whole)) if len(kinds) > 1 else {},
    )
    return Artifact(manifest=manifest, state=whole, history=History())


def _classes(state: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> int:
    """Return how many classes tensors are made for: what they have where the probe's have its own number."""
    found = {
        state[key].shape[axis]
        for key, each in own.items()
        for axis, length in enumerate(each.shape)
        if length == PROBE and key in state and state[key].ndim == each.ndim
    }
    return found.pop() if len(found) == 1 else PROBE
