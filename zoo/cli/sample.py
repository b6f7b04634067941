"""`zoo sample`: generate images with a saved generator."""

from __future__ import annotations

from pathlib import Path

import click

from zoo.cli.options import device_option, json_option
from zoo.cli.output import print_json


def _parse_labels(ctx: click.Context, parameter: click.Parameter, text: str | None) -> tuple[int | str, ...]:
    """Parse labels such as `3,3,5`; integers become numbers."""
    labels = [label.strip() for label in (text or "").split(",") if label.strip()]
    return tuple(int(label) if label.lstrip("-").isdigit() else label for label in labels)


@click.command()
@click.argument("model")
@click.option("--count", type=click.IntRange(1), default=100, show_default=True, help="Number of images.")
@click.option("--labels", callback=_parse_labels, help="Generate one image of each label instead, such as 3,3,5.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Seed of the noise.")
@click.option("--columns", type=click.IntRange(1), default=10, show_default=True, help="Images in a row.")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("samples.png"),
    show_default=True,
    help="PNG to write.",
)
@device_option
@json_option
def sample(
    model: str,
    count: int,
    labels: tuple[int | str, ...],
    seed: int,
    columns: int,
    out: Path,
    device: str | None,
    as_json: bool,
) -> None:
    """Generate images with the saved generator MODEL, a folder such as ./runs/attention-gan-28x28, as one PNG grid."""
    from zoo.api import load
    from zoo.data.image_files import write_grid
    from zoo.errors import ConfigError

    loaded = load(model).to(device or "cpu")
    if not loaded.spec.task_info.is_generative:
        raise ConfigError(
            f"{model} is a {loaded.spec.name}, which labels images and does not generate them; use zoo predict"
        )
    images = loaded.sample(list(labels) or count, seed=seed).images
    out.parent.mkdir(parents=True, exist_ok=True)
    write_grid(images, out, columns=min(columns, len(images)))
    record = {"model": loaded.spec.name, "images": len(images), "seed": seed, "written": str(out)}
    print_json(record) if as_json else click.echo(f"wrote {len(images)} images of {loaded.spec.name} to {out}")
