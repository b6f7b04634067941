"""Options that several commands share, and the parsers of their values."""

from __future__ import annotations

import json
from typing import Any

import click

from zoo.errors import did_you_mean

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
device_option = click.option("--device", help="Where to compute: cpu, cuda, cuda:1 or mps.")


def parse_pairs(ctx: click.Context, parameter: click.Parameter, texts: tuple[str, ...]) -> dict[str, Any]:
    """Parse NAME=VALUE arguments. A value is read as JSON if possible, as a tuple if it has commas, else as text."""
    values = {}
    for argument in texts:
        name, equals, text = argument.partition("=")
        if not equals or not name:
            raise click.BadParameter(f"{argument!r} is not NAME=VALUE", ctx=ctx, param=parameter)
        values[name.replace("-", "_")] = _parse_value(text)
    return values


def _parse_value(text: str) -> Any:
    if "," in text and not text.startswith(("[", "{", '"')):
        return tuple(_parse_value(part) for part in text.split(",") if part)
    try:
        value = json.loads(text)
    except ValueError:
        return {"True": True, "False": False, "None": None}.get(text, text)
    return tuple(value) if isinstance(value, list) else value


def parse_seeds(ctx: click.Context, parameter: click.Parameter, text: str | None) -> tuple[int, ...] | None:
    """Parse `5` (seeds 0 to 4), `0,3,7`, or `5,` (only seed 5)."""
    if text is None:
        return None
    try:
        numbers = tuple(int(word) for word in text.removesuffix(",").split(","))
    except ValueError:
        message = f"{text!r} is not a number of seeds such as 5, or a list of seeds such as 0,3,7"
        raise click.BadParameter(message, ctx=ctx, param=parameter) from None
    seeds = numbers if "," in text else tuple(range(numbers[0]))
    if not seeds or min(seeds) < 0:
        message = (
            f"{text!r} gives no seeds, or a negative one; give a number of seeds such as 5, or seeds such as 0,3,7"
        )
        raise click.BadParameter(message, ctx=ctx, param=parameter)
    return seeds


def list_values(values: dict[str, Any]) -> dict[str, tuple[Any, ...]]:
    """Return the values of each name as a tuple; a single value becomes a tuple of one.

    Raises:
        UsageError: A name has no value.
    """
    listed = {name: each if isinstance(each, tuple) else (each,) for name, each in values.items()}
    for name, each in listed.items():
        if not each or each == ("",):
            raise click.UsageError(f"{name} has no value; give {name}=A,B")
    return listed


class RecipeCommand(click.Command):
    """A command whose `--set` changes fields of the recipe: an unknown option `--lr` is explained as `--set lr=...`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments.

        Raises:
            UsageError: An option is unknown, with the field of the recipe it may mean.
        """
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            from zoo.recipe import Recipe

            name = error.option_name.lstrip("-").replace("-", "_")
            if name not in Recipe.__dataclass_fields__:
                raise
            message = f"No such option {error.option_name!r}; it is a field of the recipe: --set {name}=VALUE"
            raise click.UsageError(message, ctx) from None


class SuggestingGroup(click.Group):
    """A group that suggests near names for an unknown command."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that the first argument names.

        Raises:
            UsageError: There is no such command.
        """
        name = str(args[0])
        if not name.startswith("-") and self.get_command(ctx, name) is None:
            near = did_you_mean(name, self.list_commands(ctx))
            path = ctx.command_path
            raise click.UsageError(f"No such command {name!r}{near or f'; {path} --help lists the commands'}", ctx)
        return super().resolve_command(ctx, args)
