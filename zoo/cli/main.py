"""`zoo`: the group of commands, each imported when it is called, and the errors people see."""

from __future__ import annotations

import sys
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from zoo.errors import PluginError, ZooError
from zoo.plugins.import_string import load_object

if TYPE_CHECKING:
    from zoo.plugins.registry import Registry
    from zoo.plugins.spec import Command

COMMANDS = {
    "list": ("zoo.cli.list_info:list_", "list models, or another shelf"),
    "info": ("zoo.cli.list_info:info", "show all about a model, data set or experiment"),
    "plugins": ("zoo.cli.plugins:plugins", "show what is installed and why it works or not; begin and check plugins"),
    "data": ("zoo.cli.data:data", "list data sets, or look into one"),
    "fit": ("zoo.cli.fit:fit", "train a model and save it"),
    "runs": ("zoo.cli.runs:runs", "list trainings: how far they are, and how to go on with them"),
    "predict": ("zoo.cli.predict:predict", "label images"),
    "features": ("zoo.cli.features:features", "write what a saved model finds in pictures before it decides"),
    "sample": ("zoo.cli.sample:sample", "draw images with a saved generator"),
    "evaluate": ("zoo.cli.predict:evaluate", "score a saved model on labelled images"),
    "plot": ("zoo.cli.plot:plot", "draw curves, scores and images of saved models, and tables"),
    "push": ("zoo.cli.hub:push", "publish a saved model on the Hugging Face Hub"),
    "pull": ("zoo.cli.hub:pull", "fetch models from the Hub and pin their commits"),
    "verify": ("zoo.cli.hub:verify", "check saved models: hashes, golden outputs, scores"),
    "export": ("zoo.cli.export:export", "write a model as ONNX or torch.export"),
    "sweep": ("zoo.cli.sweep:sweep", "train over a grid of options and seeds, several at a time"),
    "experiment": ("zoo.cli.experiment:experiment", "run a paper's table and report it"),
}


class LazyGroup(click.Group):
    """Commands by import string, ours first; a plugin's command cannot take a name of ours."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return [*COMMANDS, *(name for name in _plugin_commands() if name not in COMMANDS)]

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Import and return one command.

        Raises:
            AmbiguousNameError: Two plugins offer it.
            PluginError: It is a plugin's, and cannot be imported.
        """
        if name in COMMANDS:
            return _import_command(COMMANDS[name][0])
        offered = _plugin_commands()
        if name not in offered and not offered.owners(name):
            return None
        command = offered[name]
        try:
            return _import_command(command.build)
        except (Exception, SystemExit) as error:
            whose = f"the command {name!r} of plugin {offered.owner(name)}"
            raise PluginError(f"{whose} cannot be imported: {type(error).__name__}: {error}") from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands with their summaries, without importing them."""
        offered = _plugin_commands()
        names = self.list_commands(ctx)
        rows = [(name, COMMANDS[name][1] if name in COMMANDS else offered[name].summary) for name in names]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def invoke(self, ctx: click.Context) -> None:
        """Run the command; what it returns is no exit code, only `ctx.exit` sets one."""
        super().invoke(ctx)


def _plugin_commands() -> Registry[Command]:
    from zoo.plugins.catalog import CATALOG

    return CATALOG.registry("commands")


def _import_command(target: str) -> click.Command:
    command = load_object(target)
    if not isinstance(command, click.Command):
        raise TypeError(f"{target} is no click command")
    return command


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="zoo-models", prog_name="zoo")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def zoo(debug: bool) -> None:
    r"""Train, use and compare models for small images.

    \b
    zoo list                                     what there is
    zoo fit gcn-7x7 fashion-mnist-7x7            train on the data that ships with zoo
    zoo predict ./runs/gcn-7x7 picture.png       label a picture
    """


def main(arguments: list[str] | None = None) -> None:
    """Run the command line. Exit codes: 0 done, 1 an error of the user's, 2 wrong usage, 130 Ctrl-C, 143 SIGTERM."""
    words = sys.argv[1:] if arguments is None else arguments
    is_debug = "--debug" in words
    try:
        with _use_plain_warnings():
            sys.exit(_run([word for word in words if word != "--debug"]))
    except ZooError as error:
        _print_error(str(error), is_debug)
    except KeyboardInterrupt as error:
        click.echo(f"\n{str(error) or 'interrupted'}", err=True)
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
    except Exception as error:  # a fault of ours or of a plugin's: one line for people, the rest on request
        _print_error(f"unexpected {type(error).__name__}: {error} (zoo --debug ... shows where)", is_debug)
    sys.exit(1)


def _run(arguments: list[str]) -> Any:
    try:
        return zoo.main(arguments, prog_name="zoo", standalone_mode=False) or 0
    except click.exceptions.Abort as error:
        raise (error.__cause__ or KeyboardInterrupt()) from None
    except click.ClickException as error:
        error.show()
        return error.exit_code


@contextmanager
def _use_plain_warnings() -> Iterator[None]:
    """Show warnings for people as one line each, without the place in the code that they come from."""
    whole = warnings.formatwarning

    def plain(message: Warning | str, category: type[Warning], *where: Any, **line: Any) -> str:
        return f"warning: {message}\n" if category is UserWarning else whole(message, category, *where, **line)

    warnings.formatwarning = plain
    try:
        yield
    finally:
        warnings.formatwarning = whole


def _print_error(message: str, debug: bool) -> None:
    if debug:
        traceback.print_exc()
    click.secho(f"error: {message}", fg="red", err=True)
