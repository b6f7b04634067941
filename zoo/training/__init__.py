"""Train a model: the loop and all that serves it."""
