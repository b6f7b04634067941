"""Score predictions and generated images."""
