"""`zoo plugins`: the installed plugins, what is wrong with them, conformance checks, and new plugins."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from zoo.cli.options import SuggestingGroup, json_option
from zoo.cli.output import Column, get_width, print_json, print_table, print_text
from zoo.errors import join_names
from zoo.plugins.catalog import CATALOG
from zoo.plugins.discovery import SPEC_TYPES, Plugin
from zoo.plugins.hookspecs import SUPPORTED_API
from zoo.plugins.scaffold import TEMPLATE_KINDS
from zoo.registries import REGISTRIES

if TYPE_CHECKING:
    from zoo.testing.report import Outcome

COLOURS = {"error": "red", "warning": "yellow", "note": "cyan", "failed": "red", "xfailed": "yellow", "skipped": "cyan"}
COLUMNS = (
    Column("plugin"),
    Column("distribution", drop_order=2),
    Column("version", drop_order=3),
    Column("status", drop_order=1),
    Column("offers", wrap=True),
    Column("reason", wrap=True),
)


@click.group(cls=SuggestingGroup, invoke_without_command=True)
@json_option
@click.pass_context
def plugins(ctx: click.Context, as_json: bool) -> None:
    """List the installed plugins: what each offers, and why a quarantined one is not used."""
    if ctx.invoked_subcommand is None:
        _print_plugins(as_json)


def _print_plugins(as_json: bool) -> None:
    records = [_make_record(plugin) for plugin in CATALOG.plugins()]
    clashes = {kind: clashing for kind, registry in REGISTRIES.items() if (clashing := registry.clashes())}
    if as_json:
        print_json({"plugins": records, "clashes": clashes})
        return
    rows = [{**record, "offers": _format_offers(record["offers"])} for record in records]
    if get_width() is not None:  # on a terminal reasons, which are long, stand below the table
        rows = [{**row, "reason": ""} for row in rows]
    print_table(rows, COLUMNS)
    for record in records if get_width() is not None else ():
        if record["reason"]:
            print_text(f"{record['plugin']}: {record['reason']}", indent="  ", fg="yellow")
    for kind, clashing in clashes.items():
        for name, owners in clashing.items():
            text = f"{kind.removesuffix('s')} {name!r} is offered by {', '.join(owners)}; use PLUGIN:{name}"
            print_text(text, indent="  ", fg="yellow")


def _format_offers(offers: dict[str, list[str]]) -> str:
    return ", ".join(_format_count(len(names), kind) for kind, names in offers.items())


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
    """Diagnose the installed plugins, and print how to fix them. The exit code is 1 if something does not work."""
    from zoo.plugins.doctor import diagnose, summarize

    diagnostics = diagnose()
    if as_json:
        print_json({"api": SUPPORTED_API, "diagnostics": [vars(each) for each in diagnostics]})
    else:
        print_text(f"{summarize(CATALOG.plugins())}; this zoo supports plugin API {SUPPORTED_API[1]}")
        for each in diagnostics:
            print_text(f"{each.level}: {each.subject}: {each.problem}", indent="  ", fg=COLOURS[each.level])
            print_text(f"    {each.fix}")
        if not diagnostics:
            click.echo("no problems found")
    if any(each.level == "error" for each in diagnostics):
        click.get_current_context().exit(1)


def _parse_expected_failures(
    ctx: click.Context, parameter: click.Parameter, texts: tuple[str, ...]
) -> dict[str, dict[str, str]]:
    """Parse NAME:CHECK=REASON arguments; a name may have a colon of its own."""
    expected: dict[str, dict[str, str]] = {}
    for text in texts:
        target, equals, reason = text.partition("=")
        subject, colon, check = target.rpartition(":")
        if not equals or not colon:
            raise click.BadParameter(f"{text!r} is not NAME:CHECK=REASON", ctx=ctx, param=parameter)
        expected.setdefault(subject, {})[check] = reason
    return expected


@plugins.command()
@click.argument("name")
@click.option("--only", multiple=True, metavar="CHECK", help="Run only this check. Repeat it for several checks.")
@click.option(
    "--expect",
    multiple=True,
    callback=_parse_expected_failures,
    metavar="NAME:CHECK=REASON",
    help="A check that is known to fail, and the reason.",
)
@json_option
def check(name: str, only: tuple[str, ...], expect: dict[str, dict[str, str]], as_json: bool) -> None:
    """Run zoo's conformance checks on the plugin or distribution NAME.

    The exit code is 1 if a check fails, or if none ran.
    """
    from zoo.testing.kit import check_expected_failures, collect_suites

    suites = list(collect_suites(name))
    check_expected_failures(suites, expect)
    outcomes: list[Outcome] = []
    for suite in suites:
        suite_outcomes = list(suite.run(expect, only))
        outcomes += suite_outcomes
        if not as_json and suite_outcomes:
            _print_outcomes(f"{suite.kind} {suite.name}", suite_outcomes)
    counts = {
        state: sum(each.status == state for each in outcomes) for state in ("passed", "failed", "xfailed", "skipped")
    }
    num_run = len(outcomes) - counts["skipped"]
    if as_json:
        print_json({"name": name, "checks": num_run, **counts, "outcomes": [vars(each) for each in outcomes]})
    else:
        summary = ", ".join(f"{count} {state}" for state, count in counts.items() if count)
        click.echo(f"{name}: {_format_count(num_run, 'checks')} ran: {summary or 'nothing was checked'}")
    if counts["failed"] or not num_run:
        click.get_current_context().exit(1)


def _print_outcomes(title: str, outcomes: list[Outcome]) -> None:
    """Print how many checks passed, and the message of each other one. Equal messages are printed once."""
    from zoo.testing.report import CLAIM_SEPARATOR

    num_run = sum(each.status != "skipped" for each in outcomes)
    click.echo(f"{title}: {sum(each.status == 'passed' for each in outcomes)} of {num_run} checks passed")
    by_message: dict[str, list[Outcome]] = {}
    for each in outcomes:
        if each.status != "passed":
            by_message.setdefault(each.message.partition(CLAIM_SEPARATOR)[0], []).append(each)
    for first, *others in by_message.values():
        message = first.message.removesuffix(".") if others else first.message
        also = f"; the same in {join_names(each.check for each in others)}" if others else ""
        print_text(f"    {first.status}: {first.check}: {message}{also}", indent="  ", fg=COLOURS[first.status])


@plugins.command()
@click.argument("name")
@click.option("--kind", type=click.Choice(TEMPLATE_KINDS), default="model", show_default=True, help="What it offers.")
@click.option("--folder", type=click.Path(path_type=Path), help="Folder to write.  [default: zoo-NAME]")
@json_option
def new(name: str, kind: str, folder: Path | None, as_json: bool) -> None:
    """Write a new plugin: a distribution that installs and passes the checks as it is.

    NAME is a word such as mine: the distribution is then zoo-mine, and its package zoo_mine.
    """
    from zoo.plugins.scaffold import write_plugin

    texts = write_plugin(name, kind, folder)
    target_folder = next(path.parent for path in texts if path.name == "pyproject.toml")
    if as_json:
        print_json({"folder": str(target_folder), "files": [str(path) for path in texts]})
        return
    for path, text in texts.items():
        click.echo(f"{path}  {len(text.splitlines())} lines")
    distribution = f"zoo-{name.removeprefix('zoo-').replace('.', '-')}"
    click.echo(f"\nnow: pip install --editable ./{target_folder} && zoo plugins check {distribution}")
