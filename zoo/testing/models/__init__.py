"""Every check of a model by name, in the order they run: the cheap and the telling first."""

from __future__ import annotations

from collections.abc import Callable

from zoo.testing.models import construction as making
from zoo.testing.models import declaration as describing
from zoo.testing.models import features as featuring
from zoo.testing.models import forward as running
from zoo.testing.models import generation as drawing
from zoo.testing.models import persistence as lasting
from zoo.testing.models import symmetry as turning
from zoo.testing.models import training as learning
from zoo.testing.models.subject import ModelSubject

Check = Callable[[ModelSubject], None]

CLASSIFIER_ORDER: tuple[Check, ...] = (
    making.settings_untouched,  # first, for what it looks for stays
    making.same_seed_same_weights,
    making.weights_not_shared,
    describing.declared_options_exist,
    describing.config_is_complete,
    describing.config_survives_json,
    describing.unknown_option_refused,
    describing.parameters_counted,
    describing.described,
    describing.paper_named,
    describing.name_tells_the_size,
    running.logits_shaped,
    running.logits_not_probabilities,
    making.random_state_untouched,
    running.any_number_of_classes,
    running.any_number_of_channels,
    running.wrong_channels_refused,
    describing.sizes_work_or_are_refused,
    running.order_kept,
    running.batch_of_one_equals_batch_of_many,
    running.eval_mode_deterministic,
    running.finite_on_any_image,
    running.images_untouched,
    running.any_memory_layout,
    featuring.features_before_deciding,
    turning.declared_symmetry_holds,
    making.copies_stand_alone,
    lasting.state_is_whole,
    lasting.strict_loading,
    learning.gradients_reach_every_weight,
    learning.loss_falls,
    learning.overfits_32_images,
    learning.fits_are_repeatable,
    learning.recipes_train,
    lasting.saved_and_loaded_bitwise,
    lasting.saved_in_other_number_types,
    lasting.follows_device_and_dtype,
    lasting.exports,
    making.rebuilt_in_a_fresh_process,
)
CLASSIFIER_CHECKS: dict[str, Check] = {check.__name__: check for check in CLASSIFIER_ORDER}
"""Every check of a classifier by name."""
GENERATOR_ORDER: tuple[Check, ...] = (
    making.settings_untouched,
    making.same_seed_same_weights,
    making.weights_not_shared,
    describing.declared_options_exist,
    describing.config_is_complete,
    describing.config_survives_json,
    describing.unknown_option_refused,
    describing.parameters_counted,
    describing.described,
    describing.paper_named,
    describing.name_tells_the_size,
    drawing.parts_declared,
    drawing.images_shaped,
    drawing.scores_shaped,
    drawing.any_number_of_classes_is_drawn,
    drawing.any_number_of_channels_is_drawn,
    drawing.other_sizes_drawn_or_refused,
    drawing.same_question_same_images,
    drawing.alone_as_in_a_batch,
    drawing.finite_for_any_noise,
    drawing.each_player_steps_alone,
    making.random_state_untouched,
    making.copies_stand_alone,
    lasting.state_is_whole,
    lasting.strict_loading,
    learning.gradients_reach_every_weight,
    drawing.learns_to_draw,
    learning.fits_are_repeatable,
    learning.recipes_train,
    lasting.saved_and_loaded_bitwise,
    lasting.saved_in_other_number_types,
    lasting.follows_device_and_dtype,
    lasting.exports,
    making.rebuilt_in_a_fresh_process,
)
GENERATOR_CHECKS: dict[str, Check] = {check.__name__: check for check in GENERATOR_ORDER}
"""Every check of a generator by name."""
CHECKS_BY_TASK = {"classification": CLASSIFIER_CHECKS, "generation": GENERATOR_CHECKS}
"""The checks of a model, by its task."""
