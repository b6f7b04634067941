"""`zoo push`: publish a saved model on the Hub."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from zoo.cli.options import json_option
from zoo.cli.output import Column, print_json, print_table, print_text

if TYPE_CHECKING:
    from zoo.hub.plan import PushResult

COLUMNS = (Column("file"), Column("bytes", right=True), Column("changed"))


@click.command()
@click.argument("model")
@click.argument("repo")
@click.option("--license", help="Licence of the weights, such as mit; required unless they have one.")
@click.option("--private", is_flag=True, help="Make a new repository private.")
@click.option("--branch", help="Branch to commit to, created if missing.  [default: main]")
@click.option("--tag", help="Tag for the commit, such as v1.")
@click.option("--pull-request", is_flag=True, help="Open a pull request instead.")
@click.option("--message", help="Message of the commit.")
@click.option("--dry-run", is_flag=True, help="Check everything and show what would be published, but write nothing.")
@json_option
def push(model: str, repo: str, license: str | None, as_json: bool, **options: Any) -> None:
    """Publish the saved MODEL as REPO (owner/name) on the Hugging Face Hub, in one commit.

    First a fresh process loads the model and compares its outputs.
    """
    from zoo.api import load

    click.echo("testing the model in a fresh process ...", err=True)
    result = load(model).push(repo, license=license, **options)
    if as_json:
        print_json(asdict(result))
        return
    print_table([{"file": file.name, "bytes": file.bytes, "changed": file.changed} for file in result.files], COLUMNS)
    if options["dry_run"]:
        print_text(f"dry run: nothing was written; {_describe_dry_run(result)}")
    elif result.is_new_commit:
        click.echo(f'published {result.url}\nload it with zoo.load("hf:{repo}@{result.tag or result.commit}")')
    else:
        print_text(f"{repo} already has exactly these files, at {result.commit}; no commit was made")


def _describe_dry_run(plan: PushResult) -> str:
    """Return what the push would do, as a sentence."""
    sent = sum(file.bytes for file in plan.files if file.changed)
    if not sent:
        return f"{plan.repo} already has exactly these files"
    fresh = f", a new {'private' if plan.private else 'public'} repository" if plan.is_new_repo else ""
    return f"it would send {sent:,} bytes to branch {plan.branch} of {plan.repo}{fresh}"
