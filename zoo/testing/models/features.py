"""Check a model's features: the input of its last layer. The docstring of the check is the claim that it tests."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from zoo.data import Images
from zoo.errors import PluginError
from zoo.inference.features import has_feature_methods
from zoo.model import Model
from zoo.testing.models.subject import ModelSubject
from zoo.testing.report import NotApplicable, require


def features_before_deciding(subject: ModelSubject) -> None:
    """Features are (N, D), finite, independent of the batch and the number of classes, and give the logits."""
    model, images = subject.create(), subject.make_images(5)
    if not has_feature_methods(model.net):
        _check_has_features(model, images)
    features = model.features(images)
    fix = "let forward_head(features, pre_logits=True) return the input of the last layer, a vector for each image"
    require(bool(np.isfinite(features).all()), "features are not finite", fix)
    gap = float(np.abs(features[2:3] - model.features(images[2])).max())
    limit = 1e-4 * max(1.0, float(np.abs(features).max()))
    require(gap <= limit, f"features of an image alone differ from those in a batch by {gap:.2g}", fix)
    if "classes" in model.config:
        widths = [subject.create(classes=num).features(images).shape[1] for num in (2, 37)]
        require(widths[0] == widths[1], f"for 2 and 37 classes there are {widths[0]} and {widths[1]} features", fix)
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
    fix = "let forward return forward_head(forward_features(images))"
    require(gap <= 1e-4, f"forward_features and forward_head give other logits than forward, by {gap:.2g}", fix)
