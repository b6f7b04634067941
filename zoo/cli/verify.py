"""`zoo verify`: check saved models again."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from zoo.cli.options import json_option
from zoo.cli.output import print_json, print_text

if TYPE_CHECKING:
    from zoo.verify import VerifyResult


@click.command()
@click.argument("references", nargs=-1)
@click.option("--no-data", is_flag=True, help="Do not measure the stored scores again, which needs the images.")
@json_option
@click.pass_context
def verify(ctx: click.Context, references: tuple[str, ...], no_data: bool, as_json: bool) -> None:
    """Check saved models again: hashes, example outputs, and the stored scores where the data is on this machine.

    REFERENCES are folders such as ./runs/gcn-7x7, hf:owner/name, or names of weights that ship with zoo. Without
    REFERENCES, all weights that ship with zoo are checked. The exit code is 1 if anything is wrong.
    """
    from zoo.saving.bundled import list_folders
    from zoo.verify import verify as verify_model

    verdicts = []
    for reference in references or tuple(list_folders()):
        verdict = verify_model(reference, rescore=not no_data)
        verdicts.append(verdict)
        if not as_json:
            _print_result(verdict)
    if as_json:
        print_json([{**asdict(verdict), "is_good": verdict.is_good} for verdict in verdicts])
    elif len(verdicts) > 1:
        good = sum(verdict.is_good for verdict in verdicts)
        click.secho(f"{good} of {len(verdicts)} are ok", fg="green" if good == len(verdicts) else "red", bold=True)
    ctx.exit(0 if all(verdict.is_good for verdict in verdicts) else 1)


def _print_result(result: VerifyResult) -> None:
    """Print what was checked of one model, a line each."""
    word, colour = ("ok   ", "green") if result.is_good else ("WRONG", "red")
    click.secho(f"{word} {result.reference}", fg=colour)
    if result.num_tensors:
        print_text(f"      {result.num_tensors} tensors match their stored sha256", indent="  ")
    if result.golden_difference is not None:
        difference = f"{result.golden_difference:.1e} of the largest logit"
        print_text(f"      outputs on the stored example images differ by at most {difference}", indent="  ")
    for score in result.scores:
        today = score.reason if score.measured is None else f"{score.measured:.4f} today"
        print_text(f"      accuracy {score.stated:.4f} on {score.data}: {today}", indent="  ")
    if result.problem:
        print_text(f"      {result.problem}", indent="  ", fg="red")
