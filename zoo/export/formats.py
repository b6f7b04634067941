"""A model as one file that runs without zoo: ONNX or torch.export, with its preprocessing. Doors: onnx, onnxruntime."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor, nn

from zoo.errors import ExportError
from zoo.export.modules import EXPORT_MODULES
from zoo.files import atomic
from zoo.inference import golden
from zoo.signature import Preprocessing
from zoo.task_info import TASK_INFO

OPSET = 20
"""Version of the ONNX operators, unless another is asked for."""
TOLERANCE = 1e-4
"""Largest difference of a logit from zoo's own, as a share of the largest logit."""


@dataclass(frozen=True, kw_only=True)
class ExportResult:
    """A file that was written.

    Args:
        path: Where it is.
        format: `onnx` or `pt2`.
        bytes: Its size.
        opset: Version of the ONNX operators; None for another format.
        difference: Largest difference of a logit from zoo's own, run by onnxruntime or by torch, as a share of the
            largest logit; None where onnxruntime is not installed.
    """

    path: Path
    format: str
    bytes: int
    opset: int | None
    difference: float | None


def export(
    net: nn.Module, preprocessing: Preprocessing, path: Path, *, task: str, metadata: str, opset: int = OPSET
) -> ExportResult:
    """Write a net with its preprocessing as one file, after comparing its outputs with the net's own.

    Args:
        net: The net, on the CPU and in eval mode.
        preprocessing: What it expects of images.
        path: Where to write; the ending says the format: `.onnx`, or `.pt2` for `torch.export.load`.
        task: What the net learns.
        metadata: The manifest, stored in the file.
        opset: Version of the ONNX operators.

    Raises:
        ExportError: The ending is another one, a package is missing, the net cannot be exported, its logits differ, or
            the file cannot be written.
    """
    info = TASK_INFO[task]
    kinds: dict[str, Callable[[], tuple[bytes, float | None]]] = {
        ".onnx": lambda: _export_onnx(served, probes, metadata, opset, (info.input_name, info.output_name)),
        ".pt2": lambda: _export_pt2(served, probes, metadata),
    }
    if path.suffix not in kinds:
        raise ExportError(f"{path} ends in {path.suffix or 'nothing'}; a model is exported to .onnx or .pt2")
    served, probes = (
        EXPORT_MODULES[task](net, preprocessing).eval(),
        golden.make_golden_inputs(net, preprocessing, task),
    )
    data, difference = kinds[path.suffix]()
    if difference is not None and not difference <= TOLERANCE:
        raise ExportError(f"{path} was not written: its logits differ from the model's by {difference:.2g}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic.replace_file(path, data)
    except OSError as error:
        raise ExportError(f"{path} cannot be written: {error.strerror or error}") from error
    is_onnx = path.suffix == ".onnx"
    return ExportResult(
        path=path,
        format=path.suffix[1:],
        bytes=len(data),
        opset=opset if is_onnx else None,
        difference=difference,
    )


def _export_onnx(
    module: nn.Module, probes: Tensor, metadata: str, opset: int, names: tuple[str, str]
) -> tuple[bytes, float | None]:
    _check_installed("onnx", "onnxscript")
    noise = io.StringIO()
    try:
        with warnings.catch_warnings(), redirect_stdout(noise), redirect_stderr(noise):
            warnings.simplefilter("ignore")  # the exporter's own, about its internals
            program = torch.onnx.export(
                module,
                (probes,),
                input_names=names[:1],
                output_names=names[1:],
                dynamic_shapes=({0: torch.export.Dim("N", min=1)},),
                opset_version=opset,
                dynamo=True,
                verbose=False,
            )
    except Exception as error:  # whatever a net or the exporter may raise
        raise ExportError(f"it cannot be exported to ONNX: {type(error).__name__}: {_first_line(error)}") from error
    if program is None:
        raise ExportError("it cannot be exported to ONNX: torch returned nothing")
    proto = program.model_proto
    proto.metadata_props.add(key="zoo", value=metadata)
    data = bytes(proto.SerializeToString())
    return data, _compare_onnxruntime(data, module, probes, names) if find_spec("onnxruntime") else None


def _compare_onnxruntime(data: bytes, module: nn.Module, probes: Tensor, names: tuple[str, str]) -> float:
    """Return how far onnxruntime's outputs are from the net's."""
    import onnxruntime

    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    given, told = names
    return _max_difference(
        lambda batch: torch.from_numpy(session.run([told], {given: batch.numpy()})[0]), module, probes
    )


def _export_pt2(module: nn.Module, probes: Tensor, metadata: str) -> tuple[bytes, float]:
    try:
        program = torch.export.export(module, (probes,), dynamic_shapes=({0: torch.export.Dim("N", min=1)},))
        buffer = io.BytesIO()
        torch.export.save(program, buffer, extra_files={"zoo": metadata})
    except Exception as error:
        raise ExportError(f"it cannot be exported by torch: {type(error).__name__}: {_first_line(error)}") from error
    return buffer.getvalue(), _max_difference(program.module(), module, probes)


@torch.inference_mode()
def _max_difference(run: Callable[[Tensor], Tensor], module: nn.Module, probes: Tensor) -> float:
    """Return how far exported outputs are from the net's, for all that is put in and for one alone."""
    gaps = []
    for batch in (probes, probes[:1]):
        try:
            found = run(batch)
        except Exception as error:
            told = f"it does not run with a batch of {len(batch)}: {type(error).__name__}: {_first_line(error)}"
            raise ExportError(f"{told}; does the net take the batch size as a number?") from error
        expected = module(batch)
        gaps.append(float((found - expected).abs().max() / expected.abs().max().clamp_min(1.0)))
    return max(gaps)


def _check_installed(*packages: str) -> None:
    missing = [name for name in packages if find_spec(name) is None]
    if missing:
        raise ExportError(f"ONNX needs {' and '.join(missing)}: pip install 'zoo-models[onnx]'")


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [""])[0][:300]
