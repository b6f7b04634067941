"""The same nets as their users write them elsewhere."""
