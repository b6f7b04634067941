"""Generate the LLVM code of a fused stack of graph convolutions. Door: llvmlite.

From the bottom up: `builder` emits single instructions, `routines` the matrix products and filters, each with an
`epilogue` at its end, `lane_group` a forward and backward pass of one group of images, `cross_entropy` its loss,
`lane_io` its loads and stores, and `program` the function that runs all groups of a batch.
"""
