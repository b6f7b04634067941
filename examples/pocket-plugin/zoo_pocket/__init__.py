"""A gated graph encoder for zoo."""

import zoo

zoo_api = 1


@zoo.hookimpl
def zoo_encoders():
    """Return the encoders. torch is imported when one of them is built."""
    return [
        zoo.EncoderSpec(
            name="pocket",
            summary="graph convolution with a gate for each feature of a node",
            build="zoo_pocket.net:GatedEncoder",
            symmetry="D4",
            paper="after Li et al. 2016, Gated graph sequence neural networks, with one step",
            tags=("gated",),
        )
    ]
