"""Offer graph encoders over the pixel grid, models that use them, and the tables that compare these models."""

from __future__ import annotations

from zoo import EncoderSpec, Experiment, ModelSpec, hookimpl
from zoo_graph_encoders.encoders import ENCODERS
from zoo_graph_encoders.experiments import EXPERIMENTS
from zoo_graph_encoders.models import MODELS

zoo_api = 1


@hookimpl
def zoo_encoders() -> tuple[EncoderSpec, ...]:
    """Return the encoders."""
    return ENCODERS


@hookimpl
def zoo_models() -> tuple[ModelSpec, ...]:
    """Return the models."""
    return MODELS


@hookimpl
def zoo_experiments() -> tuple[Experiment, ...]:
    """Return the tables that compare the models."""
    return EXPERIMENTS
