"""Generate the code of a fused stack of graph convolutions."""
