"""Save a model as one folder of checked files, and read it back."""
