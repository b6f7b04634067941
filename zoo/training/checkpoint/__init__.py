"""Keep a training on disk: write checkpoints of everything that training changes, and resume from them exactly.

`open_run` (run.py) opens the folder of a run. A `Checkpointer` decides at each step whether to write a checkpoint and
whether to stop; `capture` and `restore` (train_state.py) convert the state of training; a `CheckpointStore` keeps the
newest checkpoints and the best one; `write_checkpoint` and `read_checkpoint` (format.py) know the files of one.
"""
