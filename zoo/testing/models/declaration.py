"""Check what a spec declares against the model itself. Each docstring is the claim that the check tests."""

from __future__ import annotations

import inspect
import json
import re

from zoo.api import create
from zoo.errors import join_names
from zoo.plugins.import_string import import_object
from zoo.testing.models.subject import ModelSubject
from zoo.testing.report import require
from zoo.testing.state import copy_state, is_equal

SIZE_SUFFIX = re.compile(r"-(\d+)x(\d+)$")


def name_tells_the_size(subject: ModelSubject) -> None:
    """A name that ends in a size, such as `gcn-7x7`, has the size of the spec."""
    spec = subject.spec
    match = SIZE_SUFFIX.search(spec.name)
    size = tuple(map(int, match.groups())) if match else spec.size
    fix = f"set ModelSpec(size={size}) or rename the model"
    require(size == tuple(spec.size), f"{spec.name} is declared for images of {spec.size}", fix)


def parameters_counted(subject: ModelSubject) -> None:
    """The number of weights in the spec is right."""
    model = subject.create()
    declared, count = model.spec.parameters, model.num_parameters
    if declared is not None and not subject.config:
        problem = f"the spec declares {declared} weights, the net has {count}"
        require(declared == count, problem, f"set ModelSpec(parameters={count})")


def declared_options_exist(subject: ModelSubject) -> None:
    """Every key in the spec's config is an option of the builder."""
    spec = subject.spec
    accepted = inspect.signature(import_object(spec.build, spec.name)).parameters
    unknown = [key for key in spec.config if key not in accepted]
    fix = f"the builder takes {join_names(accepted)}; correct ModelSpec(config=...)"
    require(not unknown, f"the spec's config sets {join_names(unknown)}, which does nothing", fix)


def config_is_complete(subject: ModelSubject) -> None:
    """The stored config rebuilds the same net, even if the defaults change."""
    model = subject.create()
    rebuilt = create(subject.name, seed=model.seed, **model.config)
    problem = f"config {model.config} became {rebuilt.config} when it was passed again"
    require(rebuilt.config == model.config, problem, "let the builder use its options unchanged")
    fix = "let the weights depend on the seed and the config only"
    require(is_equal(copy_state(model.net), copy_state(rebuilt.net)), "the stored config gives other weights", fix)


def config_survives_json(subject: ModelSubject) -> None:
    """The stored config is plain data: after a round trip through JSON it gives the same net."""
    model = subject.create()
    rebuilt = create(subject.name, seed=model.seed, **json.loads(json.dumps(model.config)))
    problem = f"config {model.config} became {rebuilt.config} in JSON"
    require(rebuilt.config == model.config, problem, "annotate the builder's parameters as numbers, strings and tuples")
    fix = "compare options by value, not by type"
    require(is_equal(copy_state(model.net), copy_state(rebuilt.net)), "the config from JSON gives other weights", fix)
