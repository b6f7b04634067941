"""`zoo push`, `zoo pull`, `zoo verify`: publish saved models, fetch them, and check them again."""

from __future__ import annotations

from typing import Any

import click

from zoo.cli.output import json_option, print_json, print_table


@click.command()
@click.argument("model")
@click.argument("repo")
@click.option("--license", help="Identifier of the weights' licence, such as mit; needed unless they have one.")
@click.option("--private", is_flag=True, help="Make a new repository private.")
@click.option("--branch", help="Branch to commit to; made if it is not there.  [default: main]")
@click.option("--tag", help="Tag to give the commit, such as v1.")
@click.option("--pull-request", is_flag=True, help="Open a pull request instead.")
@click.option("--message", help="The commit's message.")
@click.option("--dry-run", is_flag=True, help="Try everything, write nothing, and show what would be published.")
@json_option
def push(model: str, repo: str, license: str | None, as_json: bool, **options: Any) -> None:
    """Publish the saved MODEL as REPO (owner/name) on the Hugging Face Hub, in one commit.

    Before anything is published, a fresh process loads the model and compares its outputs.
    """
    from zoo.api import load

    click.echo("trying the model in a fresh process ...", err=True)
    done = load(model).push(repo, license=license, **options)
    if as_json:
        print_json(_to_plain(done))
        return
    rows = [{"file": file.name, "bytes": file.bytes, "changed": file.changed} for file in done.files]
    print_table(rows, right_aligned=("bytes",))
    if options["dry_run"]:
        click.echo(f"dry run: nothing was written; {_describe_dry_run(done)}")
    elif done.is_new_commit:
        click.echo(f'published {done.url}\nzoo.load("hf:{repo}@{done.tag or done.commit}") loads it')
    else:
        click.echo(f"{repo} holds exactly this already, at {done.commit}; no commit was made")


def _describe_dry_run(plan: Any) -> str:
    """Return in words what a dry run would have done."""
    sent = sum(file.bytes for file in plan.files if file.changed)
    if not sent:
        return f"{plan.repo} holds exactly this already"
    fresh = f" to be created, {'private' if plan.private else 'public'}" if plan.is_new_repo else ""
    return f"{sent:,} bytes would go to branch {plan.branch} of {plan.repo}{fresh}"


@click.command()
@click.argument("references", nargs=-1)
@click.option("--update", is_flag=True, help="Fetch what the revision is now, and pin that.")
@click.option("--no-pin", is_flag=True, help="Fetch only; leave zoo.lock alone.")
@json_option
def pull(references: tuple[str, ...], update: bool, no_pin: bool, as_json: bool) -> None:
    """Fetch models from the Hub, such as hf:owner/name@v1, check them, and pin their commits in ./zoo.lock.

    Without REFERENCES, what zoo.lock pins is fetched.
    """
    from zoo.hub import lockfile
    from zoo.hub import pull as fetch

    path = lockfile.get_path()
    wanted = references or tuple(lockfile.read_pins(path))
    if not wanted:
        raise click.UsageError(f"there is no {path.name} here; name what to fetch, such as hf:owner/name")
    rows = []
    for reference in wanted:
        pulled = fetch(reference, update=update)
        if not no_pin:
            lockfile.write_pin(path, pulled)
        rows.append({"reference": reference, "commit": pulled.commit, "from": pulled.source, "folder": pulled.folder})
    print_json(rows) if as_json else print_table(rows)


@click.command()
@click.argument("references", nargs=-1)
@click.option("--no-data", is_flag=True, help="Leave out the stated scores, which need the images.")
@json_option
@click.pass_context
def verify(ctx: click.Context, references: tuple[str, ...], no_data: bool, as_json: bool) -> None:
    """Check saved models again: hashes, golden outputs, and with the data at hand the stated scores.

    REFERENCES are folders such as ./runs/gcn-7x7, hf:owner/name, or names that ship with zoo; all of those when left
    out. Exit code 1 if anything is wrong.
    """
    from zoo.saving import bundled as shipped
    from zoo.verify import verify as check

    verdicts = []
    for reference in references or tuple(shipped.list_folders()):
        verdict = check(reference, rescore=not no_data)
        verdicts.append(verdict)
        if not as_json:
            _print_result(verdict)
    if as_json:
        print_json([{**_to_plain(verdict), "is_good": verdict.is_good} for verdict in verdicts])
    elif len(verdicts) > 1:
        good = sum(verdict.is_good for verdict in verdicts)
        click.secho(f"{good} of {len(verdicts)} hold", fg="green" if good == len(verdicts) else "red", bold=True)
    ctx.exit(0 if all(verdict.is_good for verdict in verdicts) else 1)


def _print_result(result: Any) -> None:
    """Print one verdict: what was checked, line by line."""
    word, colour = ("ok   ", "green") if result.is_good else ("WRONG", "red")
    click.secho(f"{word} {result.reference}", fg=colour)
    if result.tensors:
        click.echo(f"      {result.tensors} tensors have the sha256 that is stated")
    if result.golden is not None:
        click.echo(f"      golden outputs within {result.golden:.1e} of the largest logit")
    for score in result.scores:
        today = score.reason if score.measured is None else f"{score.measured:.4f} today"
        click.echo(f"      accuracy {score.stated:.4f} on {score.data}: {today}")
    if result.problem:
        click.secho(f"      {result.problem}", fg="red")


def _to_plain(value: Any) -> Any:
    from dataclasses import asdict

    return asdict(value)
