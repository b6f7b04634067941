"""`zoo plugins`: what is installed, what is amiss, whether a plugin is sound, and a new one to begin with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from zoo.cli.output import json_option, print_json, print_table
from zoo.errors import join_names
from zoo.plugins.catalog import CATALOG
from zoo.plugins.discovery import SPEC_TYPES, Plugin
from zoo.plugins.hookspecs import SUPPORTED_API
from zoo.plugins.scaffold import TEMPLATE_KINDS as SCAFFOLDS
from zoo.registries import REGISTRIES

CLAIM_SEPARATOR = "; this must hold: "
COLOURS = {"error": "red", "warning": "yellow", "note": "cyan", "failed": "red", "excused": "yellow", "skipped": "cyan"}


@click.group(invoke_without_command=True)
@json_option
@click.pass_context
def plugins(ctx: click.Context, as_json: bool) -> None:
    """Show the installed plugins: what each offers, and why a quarantined one is not used."""
    if ctx.invoked_subcommand is None:
        _print_plugins(as_json)


def _print_plugins(as_json: bool) -> None:
    records = [_make_record(plugin) for plugin in CATALOG.plugins()]
    clashes = {kind: clashing for kind, shelf in REGISTRIES.items() if (clashing := shelf.clashes())}
    if as_json:
        print_json({"plugins": records, "clashes": clashes})
        return
    hidden = ("offers", "trace", "notes")
    shown = [{key: value for key, value in record.items() if key not in hidden} for record in records]
    counts = [
        ", ".join(_format_count(len(names), kind) for kind, names in record["offers"].items()) for record in records
    ]
    print_table([{**row, "offers": count} for row, count in zip(shown, counts, strict=True)])
    for kind, clashing in clashes.items():
        for name, owners in clashing.items():
            told = f"{kind.removesuffix('s')} {name!r} is offered by {', '.join(owners)}; say plugin:{name}"
            click.secho(told, fg="yellow")


def _format_count(number: int, kind: str) -> str:
    return f"{number} {kind if number != 1 else kind.removesuffix('s')}"


def _make_record(plugin: Plugin) -> dict[str, Any]:
    offers = {kind: [value.name for value in plugin.offers_of(kind)] for kind in SPEC_TYPES if plugin.offers_of(kind)}
    return {
        "plugin": plugin.name,
        "distribution": plugin.distribution,
        "version": plugin.version,
        "status": plugin.status,
        "reason": plugin.reason,
        "trace": plugin.traceback,
        "notes": plugin.notes,
        "offers": offers,
    }


@plugins.command()
@json_option
def doctor(as_json: bool) -> None:
    """Say what is amiss with the installed plugins, and how to mend it. Exit code 1 if something does not work."""
    from zoo.plugins.doctor import diagnose, summarize

    found = diagnose()
    if as_json:
        print_json({"api": SUPPORTED_API, "findings": [vars(finding) for finding in found]})
    else:
        click.echo(f"{summarize(CATALOG.plugins())}; this zoo speaks plugin API {SUPPORTED_API[1]}")
        for finding in found:
            click.secho(f"{finding.level}: {finding.subject}: {finding.problem}", fg=COLOURS[finding.level])
            click.echo(f"    {finding.fix}")
        if not found:
            click.echo("nothing is amiss")
    if any(finding.level == "error" for finding in found):
        click.get_current_context().exit(1)


def _parse_expected_failures(
    ctx: click.Context, parameter: click.Parameter, words: tuple[str, ...]
) -> dict[str, dict[str, str]]:
    """Read NAME:CHECK=REASON words; a name may have a colon of its own."""
    found: dict[str, dict[str, str]] = {}
    for word in words:
        place, equals, reason = word.partition("=")
        subject, colon, check = place.rpartition(":")
        if not equals or not colon:
            raise click.BadParameter(f"{word!r} is not NAME:CHECK=REASON", ctx=ctx, param=parameter)
        found.setdefault(subject, {})[check] = reason
    return found


@plugins.command()
@click.argument("name")
@click.option("--only", multiple=True, metavar="CHECK", help="Run only this check; may be given several times.")
@click.option(
    "--expect",
    multiple=True,
    callback=_parse_expected_failures,
    metavar="NAME:CHECK=REASON",
    help="A check known to fail, and why.",
)
@json_option
def check(name: str, only: tuple[str, ...], expect: dict[str, dict[str, str]], as_json: bool) -> None:
    """Run zoo's conformance kit over the plugin or distribution NAME. Exit code 1 if a check fails, or none ran."""
    from zoo.testing.kit import check_expected_failures, collect_suites

    every = list(collect_suites(name))
    check_expected_failures(every, expect)
    found: list[Any] = []
    for trial in every:
        mine = list(trial.run(expect, only))
        found += mine
        if not as_json and mine:
            _print_outcomes(f"{trial.kind} {trial.name}", mine)
    counts = {state: sum(each.status == state for each in found) for state in ("held", "failed", "excused", "skipped")}
    num_run = len(found) - counts["skipped"]
    if as_json:
        print_json({"name": name, "checks": num_run, **counts, "outcomes": [vars(each) for each in found]})
    else:
        told = ", ".join(f"{count} {state}" for state, count in counts.items() if count)
        click.echo(
            f"{name}: {_format_count(num_run, 'checks')} ran: {told or 'nothing was checked, so nothing is known'}"
        )
    if counts["failed"] or not num_run:
        click.get_current_context().exit(1)


def _print_outcomes(title: str, outcomes: list[Any]) -> None:
    """Print how many of the checks that ran held, and of the others what they found: the same thing once."""
    num_run = sum(each.status != "skipped" for each in outcomes)
    click.echo(f"{title}: {sum(each.status == 'held' for each in outcomes)} of {num_run} checks held")
    alike: dict[str, list[Any]] = {}
    for each in outcomes:
        if each.status != "held":
            alike.setdefault(each.message.partition(CLAIM_SEPARATOR)[0], []).append(each)
    for first, *others in alike.values():
        told = first.message.removesuffix(".") if others else first.message
        also = f"; the same of {join_names(each.check for each in others)}" if others else ""
        click.secho(f"    {first.status}: {first.check}: {told}{also}", fg=COLOURS[first.status])


@plugins.command()
@click.argument("name")
@click.option("--kind", type=click.Choice(SCAFFOLDS), default="model", show_default=True, help="What it offers.")
@click.option("--folder", type=click.Path(path_type=Path), help="Where to write it.  [default: zoo-NAME]")
@json_option
def new(name: str, kind: str, folder: Path | None, as_json: bool) -> None:
    """Write a new plugin: a whole distribution that installs and passes the kit as it is.

    NAME is such as mine: the distribution is then zoo-mine, and its package zoo_mine.
    """
    from zoo.plugins.scaffold import write_plugin

    texts = write_plugin(name, kind, folder)
    place = next(path.parent for path in texts if path.name == "pyproject.toml")
    if as_json:
        print_json({"folder": str(place), "files": [str(path) for path in texts]})
        return
    for path, text in texts.items():
        click.echo(f"{path}  {len(text.splitlines())} lines")
    distribution = f"zoo-{name.removeprefix('zoo-').replace('.', '-')}"
    click.echo(f"\nnow: pip install --editable ./{place} && zoo plugins check {distribution}")


def _parse_shard(ctx: click.Context, parameter: click.Parameter, text: str) -> tuple[int, int]:
    """Read a share such as 1/8."""
    number, slash, count = text.partition("/")
    if not slash or not number.isdigit() or not count.isdigit():
        raise click.BadParameter(f"{text!r} is no share such as 1/8", ctx=ctx, param=parameter)
    return int(number), int(count)


@plugins.command("try")
@click.argument("source")
@click.option(
    "--share", callback=_parse_shard, default="1/1", show_default=True, help="Only so many, such as 3/8: a sample."
)
@click.option("--seconds", type=click.FloatRange(0, min_open=True), default=900, show_default=True, help="Stop then.")
@json_option
def try_(source: str, shard: tuple[int, int], seconds: float, as_json: bool) -> None:
    """Make each model of SOURCE once, such as timm, without numbers, and say which cannot be made and why.

    Exit code 1 if one fails otherwise than with an error that says what to do, or if none was tried.
    """
    from zoo.testing.source_scan import STATUSES, sample_names, try_models

    names, found = sample_names(source, shard), []
    for attempt in try_models(names, seconds=seconds):
        found.append(attempt)
        if attempt.status != "made" and not as_json:
            whose = "" if attempt.name in attempt.message else f"{attempt.name}: "
            click.secho(f"{attempt.status}: {whose}{attempt.message}", fg=COLOURS.get(attempt.status))
    counts = {state: sum(each.status == state for each in found) for state in STATUSES}
    if as_json:
        print_json({"source": source, "models": len(names), **counts, "attempts": [vars(each) for each in found]})
    else:
        told = ", ".join(f"{count} {state}" for state, count in counts.items())
        click.echo(f"{source}: {len(found)} of {len(names)} models tried: {told}")
    if counts["failed"] or not found:
        click.get_current_context().exit(1)
