"""A gated graph encoder for zoo."""

import zoo

zoo_api = 1


@zoo.hookimpl
def zoo_encoders():
    """Return the encoders; torch is imported only when one of them is made."""
    return [
        zoo.EncoderSpec(
            name="pocket",
            summary="a gate for each node lets in what its neighbours say",
            build="zoo_pocket.net:Gated",
            symmetry="D4",
            paper="after Li et al. 2016, Gated graph sequence neural networks, with one step",
            tags=("gated",),
        )
    ]
