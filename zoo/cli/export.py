"""`zoo export`: write a model as one file that runs without zoo."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from zoo.cli.options import json_option
from zoo.cli.output import print_json, print_text


@click.command()
@click.argument("model")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--opset", type=click.IntRange(18), default=20, show_default=True, help="Version of the ONNX operators.")
@json_option
def export(model: str, file: Path, opset: int, as_json: bool) -> None:
    """Write the saved MODEL to FILE: model.onnx, or model.pt2 for torch.export.

    The exported model takes uint8 images (N, C, H, W) of the model's size and returns logits (N, K). They are compared
    with the model's own logits before the file is written.
    """
    from zoo.api import load

    result = load(model).export(file, opset=opset)
    if as_json:
        print_json(asdict(result))
        return
    checked = "logits not compared; pip install onnxruntime to compare them"
    if result.difference is not None:
        checked = f"logits differ from the model's by at most {result.difference:.1e}"
    version = f", opset {result.opset}" if result.opset else ""
    print_text(f"wrote {result.path}: {result.bytes:,} bytes{version}; {checked}")
