"""A training run on disk: checkpoints of all that training changes, and going on from them exactly."""
