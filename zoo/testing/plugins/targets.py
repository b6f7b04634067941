"""Check that what a plugin's values name exists. Each docstring is the claim that the check tests."""

from __future__ import annotations

from zoo.errors import ZooError
from zoo.plugins.experiment_spec import Experiment
from zoo.plugins.import_string import import_object
from zoo.plugins.source import Source
from zoo.plugins.spec import CallbackSpec, Command, DatasetSpec, EncoderSpec, ModelSpec
from zoo.registries import REGISTRIES
from zoo.testing.plugins.subject import PluginSubject
from zoo.testing.report import CheckFailure, NotApplicable, require

IMPORT_STRING_FIELDS: dict[type, tuple[str, ...]] = {
    ModelSpec: ("build", "pretrained_config"),
    **dict.fromkeys((EncoderSpec, DatasetSpec, Command, CallbackSpec), ("build",)),
    Source: ("names", "model"),
    Experiment: ("verdict",),
}
"""Which fields of a value are import strings; an experiment's rows have some too."""


def import_strings_work(subject: PluginSubject) -> None:
    """Every import string of its values can be imported."""
    for value in subject.plugin.offers:
        targets = [getattr(value, key) for key in IMPORT_STRING_FIELDS[type(value)]]
        if isinstance(value, Experiment):
            targets += [target for row in value.rows for target in dict.fromkeys((row.train, row.score))]
        for target in filter(lambda text: ":" in text, targets):
            try:
                import_object(target, value.name)
            except ZooError as error:
                raise CheckFailure(f"{error}; correct the import string or the module") from error


def commands_explain_themselves(subject: PluginSubject) -> None:
    """Each command is a click command with a help text."""
    commands = subject.plugin.offers_of("commands")
    if not commands:
        raise NotApplicable("it offers no commands")
    for spec in commands:
        command = import_object(spec.build, spec.name)
        is_command = hasattr(command, "get_short_help_str") and hasattr(command, "make_context")
        require(is_command, f"{spec.build} is not a click command", "decorate it with @click.command()")
        require(bool(command.help), f"the command {spec.name!r} has no help", "write a docstring")


def experiments_name_what_exists(subject: PluginSubject) -> None:
    """Rows of its experiments name models, recipes and data sets that exist."""
    experiments = subject.plugin.offers_of("experiments")
    if not experiments:
        raise NotApplicable("it offers no experiments")
    for experiment in experiments:
        for row in experiment.rows:
            label = f"row {row.label!r} of {experiment.name}"
            data = row.dataset or experiment.dataset
            require(row.model in REGISTRIES["models"], f"{label} names an unknown model {row.model!r}", "correct it")
            require(data in REGISTRIES["datasets"], f"{label} names an unknown data set {data!r}", "correct it")
            REGISTRIES["models"][row.model].get_recipe(row.recipe)


def callbacks_watch(subject: PluginSubject) -> None:
    """Each callback is created without arguments, and has `on_step` and `on_epoch`."""
    callbacks = subject.plugin.offers_of("callbacks")
    if not callbacks:
        raise NotApplicable("it offers no callbacks")
    for spec in callbacks:
        callback = import_object(spec.build, spec.name)()
        missing = [name for name in ("on_step", "on_epoch") if not callable(getattr(callback, name, None))]
        fix = "define on_step(training) and on_epoch(training), even if one does nothing"
        require(not missing, f"the callback {spec.name!r} has no {' and no '.join(missing)}", fix)
