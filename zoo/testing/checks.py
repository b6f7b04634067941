"""Every check by name, in the order they run: the cheap and the telling first."""

from __future__ import annotations

from collections.abc import Callable

from zoo.testing import learning, making, running
from zoo.testing.subject import Subject

Check = Callable[[Subject], None]

ORDER: tuple[Check, ...] = (
    making.same_seed_same_weights,
    making.weights_not_shared,
    making.random_state_untouched,
    making.config_is_complete,
    making.unknown_option_refused,
    making.parameters_counted,
    making.described,
    running.logits_shaped,
    running.any_number_of_classes,
    running.any_number_of_channels,
    running.wrong_channels_refused,
    running.order_kept,
    running.batch_of_one_equals_batch_of_many,
    running.eval_mode_deterministic,
    learning.gradients_reach_every_weight,
    learning.loss_falls,
    learning.fits_are_repeatable,
    learning.saved_and_loaded_bitwise,
    running.follows_device_and_dtype,
    running.exports,
)
CHECKS: dict[str, Check] = {check.__name__: check for check in ORDER}
"""Every check by name."""
