"""`zoo export`: a model as one file that runs without zoo."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from zoo.cli.output import json_option, print_json


@click.command()
@click.argument("model")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--opset", type=click.IntRange(18), default=20, show_default=True, help="Version of the ONNX operators.")
@json_option
def export(model: str, file: Path, opset: int, as_json: bool) -> None:
    """Write the saved MODEL to FILE: model.onnx, or model.pt2 for torch.export.

    The file takes uint8 images (N, C, H, W) of the model's size and gives logits (N, K). They are compared with the
    model's own before it is written.
    """
    from zoo.api import load

    done = load(model).export(file, opset=opset)
    if as_json:
        print_json(asdict(done))
        return
    checked = "logits not compared: pip install onnxruntime"
    if done.difference is not None:
        checked = f"logits within {done.difference:.1e} of zoo's own"
    version = f", opset {done.opset}" if done.opset else ""
    click.echo(f"wrote {done.path}: {done.bytes:,} bytes{version}; {checked}")
