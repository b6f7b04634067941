"""The check of a model's features: what its net has found in an image before it decides."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from zoo.data import Images
from zoo.errors import PluginError
from zoo.inference.features import has_feature_methods
from zoo.model import Model
from zoo.testing.models.subject import ModelSubject, require
from zoo.testing.report import NotApplicable


def features_before_deciding(subject: ModelSubject) -> None:
    """Features are (N, D): finite, of each image by itself, as many whatever the classes, and lead to the logits."""
    model, images = subject.make(), subject.make_images(5)
    if not has_feature_methods(model.net):
        _check_has_features(model, images)
    found = model.features(images)
    mend = "let forward_head(found, pre_logits=True) return what the last layer gets, one vector for each image"
    require(bool(np.isfinite(found).all()), "features are not finite", mend)
    gap = float(np.abs(found[2:3] - model.features(images[2])).max())
    require(gap <= 1e-4 * max(1.0, float(np.abs(found).max())), f"an image alone has others, by {gap:.2g}", mend)
    if "classes" in model.config:
        widths = [subject.make(classes=num).features(images).shape[1] for num in (2, 37)]
        require(widths[0] == widths[1], f"for 2 and 37 classes there are {widths[0]} and {widths[1]}", mend)
    if has_feature_methods(model.net):
        _check_leads_to_logits(model.net, subject.make_net_input(3))


def _check_has_features(model: Model, images: Images) -> None:
    try:
        model.features(images)
    except PluginError as error:
        raise NotApplicable(str(error)) from error


def _check_leads_to_logits(net: Any, images: Tensor) -> None:
    with torch.no_grad():
        gap = float((net.forward_head(net.forward_features(images)) - net(images)).abs().max())
    mend = "let forward return forward_head(forward_features(images))"
    require(gap <= 1e-4, f"forward_features and forward_head give other logits than forward, by {gap:.2g}", mend)
