"""`zoo`: the group of all commands, each imported when it is called, and how errors are printed."""

from __future__ import annotations

import sys
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from zoo.cli.options import SuggestingGroup
from zoo.cli.output import print_text
from zoo.errors import PluginError, ZooError
from zoo.plugins.import_string import load_object

if TYPE_CHECKING:
    from zoo.plugins.registry import Registry
    from zoo.plugins.spec import Command

COMMANDS = {
    "list": ("zoo.cli.list:list_", "list models, encoders, data sets, trained weights, ..."),
    "info": ("zoo.cli.info:info", "describe a model, data set, experiment, ..."),
    "data": ("zoo.cli.data:data", "list the data sets, or describe one"),
    "fit": ("zoo.cli.fit:fit", "train a model and save it"),
    "runs": ("zoo.cli.runs:runs", "list trainings, and how to resume them"),
    "predict": ("zoo.cli.predict:predict", "label images"),
    "evaluate": ("zoo.cli.evaluate:evaluate", "score a saved model on labelled images"),
    "features": ("zoo.cli.features:features", "write the features of images as a file"),
    "sample": ("zoo.cli.sample:sample", "generate images with a saved generator"),
    "plot": ("zoo.cli.plot:plot", "plot curves, scores, images and tables"),
    "export": ("zoo.cli.export:export", "write a model as ONNX or torch.export"),
    "push": ("zoo.cli.push:push", "publish a saved model on the Hugging Face Hub"),
    "pull": ("zoo.cli.pull:pull", "fetch models from the Hub and pin their commits"),
    "verify": ("zoo.cli.verify:verify", "check saved models: hashes, outputs, scores"),
    "sweep": ("zoo.cli.sweep:sweep", "train over a grid of options and seeds"),
    "experiment": ("zoo.cli.experiment:experiment", "run a paper's experiments and report them"),
    "plugins": ("zoo.cli.plugins:plugins", "list, diagnose, check and create plugins"),
}
EXAMPLES = """
\b
Examples:
  zoo list                                  list the models
  zoo fit gcn-7x7 fashion-mnist-7x7         train on data that ships with zoo
  zoo predict ./runs/gcn-7x7 picture.png    label a picture
"""


class LazyGroup(SuggestingGroup):
    """A group that imports a command when it is called.

    Commands of zoo come first, and a plugin cannot replace them.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return [*COMMANDS, *(name for name in _plugin_commands() if name not in COMMANDS)]

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Import and return a command, or return None if there is none.

        Raises:
            AmbiguousNameError: Two plugins offer it.
            PluginError: It is a command of a plugin and cannot be imported.
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
            owner = f"the command {name!r} of plugin {offered.owner(name)}"
            raise PluginError(f"{owner} cannot be imported: {type(error).__name__}: {error}") from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands with their summaries, without importing them."""
        offered = _plugin_commands()
        names = self.list_commands(ctx)
        rows = [(name, COMMANDS[name][1] if name in COMMANDS else offered[name].summary) for name in names]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def invoke(self, ctx: click.Context) -> None:
        """Run the command. Its return value is not an exit code: only `ctx.exit` sets one."""
        super().invoke(ctx)


def _plugin_commands() -> Registry[Command]:
    from zoo.plugins.catalog import CATALOG

    return CATALOG.registry("commands")


def _import_command(target: str) -> click.Command:
    command = load_object(target)
    if not isinstance(command, click.Command):
        raise TypeError(f"{target} is not a click command")
    return command


@click.group(
    cls=LazyGroup,
    epilog=EXAMPLES,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="zoo-models", prog_name="zoo")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def zoo(debug: bool) -> None:
    """Train, use and compare models for small images."""


def main(arguments: list[str] | None = None) -> None:
    """Run the command line.

    The exit code is 0 for success, 1 for an error, 2 for wrong usage, 130 for Ctrl-C and 143 for SIGTERM.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    debug = "--debug" in arguments
    try:
        with _use_plain_warnings():
            sys.exit(_run([each for each in arguments if each != "--debug"]))
    except ZooError as error:
        _print_error(str(error), debug)
    except KeyboardInterrupt as error:
        click.echo(f"\n{str(error) or 'interrupted'}", err=True)
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
    except Exception as error:  # a bug in zoo or a plugin: one line for people, the traceback with --debug
        _print_error(f"unexpected {type(error).__name__}: {error} (zoo --debug ... shows where)", debug)
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
    """Print a warning for users as one line, without the line of code that it comes from."""
    default_format = warnings.formatwarning

    def plain(message: Warning | str, category: type[Warning], *where: Any, **line: Any) -> str:
        return f"warning: {message}\n" if category is UserWarning else default_format(message, category, *where, **line)

    warnings.formatwarning = plain
    try:
        yield
    finally:
        warnings.formatwarning = default_format


def _print_error(message: str, debug: bool) -> None:
    if debug:
        traceback.print_exc()
    print_text(f"error: {message}", fg="red", err=True)
