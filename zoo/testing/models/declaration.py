"""Checks of what a spec says about its model, each against the model itself."""

from __future__ import annotations

import inspect
import json
import re

import torch

from zoo.api import create
from zoo.errors import ConfigError, join_names
from zoo.factory.build import Config
from zoo.plugins.import_string import import_object
from zoo.plugins.spec import DatasetSpec, EncoderSpec, ModelSpec
from zoo.testing.models.subject import ModelSubject, copy_weights, is_equal, require
from zoo.testing.report import CheckFailure

MAX_SUMMARY_LENGTH = 120
SIZE_SUFFIX = re.compile(r"-(\d+)x(\d+)$")


def described(subject: ModelSubject) -> None:
    """The spec says in one line what the model is."""
    check_summary(subject.spec)


def paper_named(subject: ModelSubject) -> None:
    """The spec says where the model was published, if only that it was not."""
    check_paper(subject.spec)


def check_summary(spec: ModelSpec | EncoderSpec | DatasetSpec) -> None:
    """Raise unless a spec's summary is one line."""
    summary = spec.summary
    is_line = bool(summary.strip()) and "\n" not in summary and len(summary) <= MAX_SUMMARY_LENGTH
    mend = f"give {type(spec).__name__}(summary=...) one line of at most {MAX_SUMMARY_LENGTH} letters"
    require(is_line, f"the summary is {summary!r}", mend)


def check_paper(spec: ModelSpec | EncoderSpec) -> None:
    """Raise unless a spec names a paper."""
    mend = f"give {type(spec).__name__}(paper=...) a citation, or 'unpublished'"
    require(bool(spec.paper.strip()), "the spec names no paper", mend)


def name_tells_the_size(subject: ModelSubject) -> None:
    """A name that ends in a size, such as `gcn-7x7`, names the size the spec declares."""
    spec = subject.spec
    found = SIZE_SUFFIX.search(spec.name)
    told = tuple(map(int, found.groups())) if found else spec.size
    mend = f"set ModelSpec(size={told}) or rename the model"
    require(told == tuple(spec.size), f"{spec.name} is declared for images of {spec.size}", mend)


def parameters_counted(subject: ModelSubject) -> None:
    """The number of weights the spec declares is true."""
    model = subject.make()
    declared, count = model.spec.parameters, model.num_parameters
    if declared is not None and not subject.config:
        found = f"the spec declares {declared} weights, the net has {count}"
        require(declared == count, found, f"set ModelSpec(parameters={count})")


def declared_options_exist(subject: ModelSubject) -> None:
    """Every value in the spec's config is an option that the builder takes."""
    spec = subject.spec
    accepted = inspect.signature(import_object(spec.build, spec.name)).parameters
    unknown = [key for key in spec.config if key not in accepted]
    mend = f"the builder takes {join_names(accepted)}; correct ModelSpec(config=...)"
    require(not unknown, f"the spec's config sets {join_names(unknown)}, which does nothing", mend)


def config_is_complete(subject: ModelSubject) -> None:
    """The stored config rebuilds the same net, whatever the defaults become."""
    model = subject.make()
    again = create(subject.name, seed=model.seed, **model.config)
    found = f"config {model.config} became {again.config} when given back"
    require(again.config == model.config, found, "let the builder take its options as they are")
    mend = "draw nothing aside of the seed, and read nothing aside of the config"
    require(is_equal(copy_weights(model), copy_weights(again)), "the stored config gives other weights", mend)


def config_survives_json(subject: ModelSubject) -> None:
    """The stored config is plain data: as JSON and back it gives the same net."""
    model = subject.make()
    again = create(subject.name, seed=model.seed, **json.loads(json.dumps(model.config)))
    found = f"config {model.config} came back from JSON as {again.config}"
    require(again.config == model.config, found, "type the builder's parameters as plain numbers, words and tuples")
    mend = "use options as values, not as keys of their type"
    require(is_equal(copy_weights(model), copy_weights(again)), "the config from JSON gives other weights", mend)


def unknown_option_refused(subject: ModelSubject) -> None:
    """An option the model does not take is an error, not silence."""
    try:
        subject.make(no_such_option=1)
    except ConfigError:
        return
    raise CheckFailure("an unknown option was accepted; give the builder named parameters and no **kwargs")


def sizes_work_or_are_refused(subject: ModelSubject) -> None:
    """The declared size is true, and another size works too or is refused when the model is made."""
    model = subject.make()
    height, width = model.preprocessing.size
    _check_logits_shape(subject, (height, width), model.config)
    if "size" not in model.config:
        return
    for size in ((height, width + 3), (height + 4, width), (2 * height, 2 * width), (max(1, height // 2), 5), (1, 1)):
        try:
            config = subject.make(size=size).config
        except ConfigError:  # a clear refusal, before any image is seen
            continue
        _check_logits_shape(subject, size, config)


def _check_logits_shape(subject: ModelSubject, size: tuple[int, int], config: Config) -> None:
    model = create(subject.name, seed=0, **config)
    images = torch.zeros(2, model.preprocessing.channels, *size)
    try:
        with torch.no_grad():
            shape = tuple(model.net(images).shape)
    except Exception as error:
        told = f"made for images of {size}, it fails on them: {type(error).__name__}: {error}"
        raise CheckFailure(f"{told}; raise a ConfigError in the builder for sizes it cannot take") from error
    expected = (2, len(model.classes))
    require(shape == expected, f"2 images of {size} give {shape}, not {expected}", "return one row of logits an image")
