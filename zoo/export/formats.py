"""Write a model as one file that runs without zoo: ONNX or torch.export. Doors: onnx, onnxruntime."""

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
"""Default version of the ONNX operators."""
TOLERANCE = 1e-4
"""Largest accepted difference from zoo's own outputs, as a fraction of the largest one."""


@dataclass(frozen=True, kw_only=True)
class ExportResult:
    """A file that was written.

    Args:
        path: Its path.
        format: `onnx` or `pt2`.
        bytes: Its size.
        opset: Version of the ONNX operators; None for another format.
        difference: Largest difference of an output from zoo's own, run by onnxruntime or by torch, as a fraction of the
            largest output; None if onnxruntime is not installed.
    """

    path: Path
    format: str
    bytes: int
    opset: int | None
    difference: float | None


def export(
    net: nn.Module, preprocessing: Preprocessing, path: Path, *, task: str, metadata: str, opset: int = OPSET
) -> ExportResult:
    """Write a net with its preprocessing as one file, after comparing its outputs with those of the net.

    Args:
        net: The net, on the CPU and in eval mode.
        preprocessing: Its preprocessing.
        path: Where to write; its suffix sets the format: `.onnx`, or `.pt2` for `torch.export.load`.
        task: Task of the net.
        metadata: The manifest, stored in the file.
        opset: Version of the ONNX operators.

    Raises:
        ExportError: The suffix is another one, a package is missing, the net cannot be exported, its outputs differ, or
            the file cannot be written.
    """
    if path.suffix not in (".onnx", ".pt2"):
        raise ExportError(f"{path} ends in {path.suffix or 'nothing'}; a model is exported to .onnx or .pt2")
    module, probes = (
        EXPORT_MODULES[task](net, preprocessing).eval(),
        golden.make_golden_inputs(net, preprocessing, task),
    )
    if path.suffix == ".onnx":
        names = (TASK_INFO[task].input_name, TASK_INFO[task].output_name)
        data, difference = _export_onnx(module, probes, metadata, opset, names)
    else:
        data, difference = _export_pt2(module, probes, metadata)
    if difference is not None and not difference <= TOLERANCE:
        raise ExportError(f"{path} was not written: its outputs differ from the model's by {difference:.2g}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic.replace_file(path, data)
    except OSError as error:
        raise ExportError(f"{path} cannot be written: {error.strerror or error}") from error
    return ExportResult(
        path=path,
        format=path.suffix[1:],
        bytes=len(data),
        opset=opset if path.suffix == ".onnx" else None,
        difference=difference,
    )


def _export_onnx(
    module: nn.Module, probes: Tensor, metadata: str, opset: int, names: tuple[str, str]
) -> tuple[bytes, float | None]:
    """Return the bytes of an ONNX file, and its largest difference if onnxruntime is installed."""
    _check_installed("onnx", "onnxscript")
    output = io.StringIO()
    try:
        with warnings.catch_warnings(), redirect_stdout(output), redirect_stderr(output):
            warnings.simplefilter("ignore")  # the exporter warns about its own internals
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
    except Exception as error:  # a net or the exporter may raise anything
        raise ExportError(f"it cannot be exported to ONNX: {type(error).__name__}: {_first_line(error)}") from error
    if program is None:
        raise ExportError("it cannot be exported to ONNX: torch returned nothing")
    proto = program.model_proto
    proto.metadata_props.add(key="zoo", value=metadata)
    data = bytes(proto.SerializeToString())
    return data, _compare_onnxruntime(data, module, probes, names) if find_spec("onnxruntime") else None


def _compare_onnxruntime(data: bytes, module: nn.Module, probes: Tensor, names: tuple[str, str]) -> float:
    """Return the largest difference between the outputs of onnxruntime and of the module."""
    import onnxruntime

    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    input_name, output_name = names
    return _max_difference(
        lambda batch: torch.from_numpy(session.run([output_name], {input_name: batch.numpy()})[0]), module, probes
    )


def _export_pt2(module: nn.Module, probes: Tensor, metadata: str) -> tuple[bytes, float]:
    """Return the bytes of a file for `torch.export.load`, and its largest difference."""
    try:
        program = torch.export.export(module, (probes,), dynamic_shapes=({0: torch.export.Dim("N", min=1)},))
        buffer = io.BytesIO()
        torch.export.save(program, buffer, extra_files={"zoo": metadata})
    except Exception as error:
        raise ExportError(f"it cannot be exported by torch: {type(error).__name__}: {_first_line(error)}") from error
    return buffer.getvalue(), _max_difference(program.module(), module, probes)


@torch.inference_mode()
def _max_difference(run: Callable[[Tensor], Tensor], module: nn.Module, probes: Tensor) -> float:
    """Return the largest difference between exported and original outputs, for a whole batch and for one input."""
    differences = []
    for batch in (probes, probes[:1]):
        try:
            actual = run(batch)
        except Exception as error:
            reason = f"it does not run with a batch of {len(batch)}: {type(error).__name__}: {_first_line(error)}"
            raise ExportError(f"{reason}; does the net use the batch size as a constant?") from error
        expected = module(batch)
        differences.append(float((actual - expected).abs().max() / expected.abs().max().clamp_min(1.0)))
    return max(differences)


def _check_installed(*packages: str) -> None:
    missing = [name for name in packages if find_spec(name) is None]
    if missing:
        raise ExportError(f"ONNX needs {' and '.join(missing)}: pip install 'zoo-models[onnx]'")


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [""])[0][:300]
