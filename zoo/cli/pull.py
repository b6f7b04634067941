"""`zoo pull`: fetch models from the Hub, and pin their commits."""

from __future__ import annotations

import click

from zoo.cli.options import json_option
from zoo.cli.output import Column, print_json, print_table

COLUMNS = (Column("reference"), Column("commit"), Column("from", drop_order=1), Column("folder", drop_order=2))


@click.command()
@click.argument("references", nargs=-1)
@click.option("--update", is_flag=True, help="Fetch the newest commit of the revision, and pin that.")
@click.option("--no-pin", is_flag=True, help="Only fetch; do not change zoo.lock.")
@json_option
def pull(references: tuple[str, ...], update: bool, no_pin: bool, as_json: bool) -> None:
    """Fetch models from the Hub, such as hf:owner/name@v1, check them, and pin their commits in ./zoo.lock.

    Without REFERENCES, the models that zoo.lock pins are fetched.
    """
    from zoo.hub import lockfile
    from zoo.hub import pull as pull_model

    path = lockfile.get_path()
    to_pull = references or tuple(lockfile.read_pins(path))
    if not to_pull:
        raise click.UsageError(f"there is no {path.name} here; name what to fetch, such as hf:owner/name")
    rows = []
    for reference in to_pull:
        pulled = pull_model(reference, update=update)
        if not no_pin:
            lockfile.write_pin(path, pulled)
        rows.append({"reference": reference, "commit": pulled.commit, "from": pulled.source, "folder": pulled.folder})
    print_json(rows) if as_json else print_table(rows, COLUMNS)
