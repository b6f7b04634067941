"""Define the specs of the encoders."""

from __future__ import annotations

from zoo import EncoderSpec


def _make_spec(
    name: str, summary: str, build: str, paper: str, *, symmetry: str = "D4", tags: tuple[str, ...] = ()
) -> EncoderSpec:
    target = f"zoo_graph_encoders.{build}"
    return EncoderSpec(name=name, summary=summary, build=target, paper=paper, symmetry=symmetry, tags=("graph", *tags))


PYG_TAGS = ("torch-geometric",)
ENCODERS = (
    _make_spec("gcn", "graph convolution", "gcn:GCN", "Kipf and Welling 2017"),
    _make_spec(
        "gcn-plus",
        "graph convolution with batch normalisation, residual connection and feed-forward layer",
        "gcn_plus:GCNPlus",
        "Luo, Shi and Wu 2025",
    ),
    _make_spec(
        "rgcn",
        "graph convolution with a weight matrix for each direction",
        "rgcn:RGCN",
        "Schlichtkrull et al. 2018",
        symmetry="",
    ),
    _make_spec(
        "gps",
        "directed messages plus global attention with relative positions",
        "gps:GPS",
        "Rampasek et al. 2022",
        symmetry="",
        tags=("attention",),
    ),
    _make_spec(
        "vig",
        "messages from the nearest nodes in feature space",
        "vig:ViG",
        "Han et al. 2022",
        symmetry="",
        tags=("learned graph",),
    ),
    _make_spec(
        "sage",
        "GraphSAGE: a node's own features and the neighbours' mean",
        "sage:Sage",
        "Hamilton et al. 2017",
        tags=PYG_TAGS,
    ),
    _make_spec(
        "graph",
        "GraphConv: a node's own features and the neighbours' mean, sum or maximum",
        "graph_conv:GraphConv",
        "Morris et al. 2019",
        tags=PYG_TAGS,
    ),
    _make_spec(
        "cheb", "Chebyshev filters of the graph's spectrum", "cheb:Cheb", "Defferrard et al. 2016", tags=PYG_TAGS
    ),
    _make_spec(
        "gin",
        "graph isomorphism network: a perceptron over the neighbours' sum",
        "gin:GIN",
        "Xu et al. 2019",
        tags=PYG_TAGS,
    ),
    _make_spec(
        "gat", "graph attention to neighbours", "gat:GAT", "Velickovic et al. 2018", tags=(*PYG_TAGS, "attention")
    ),
    _make_spec(
        "gatv2",
        "graph attention whose ranking of neighbours depends on the node",
        "gatv2:GATv2",
        "Brody et al. 2022",
        tags=(*PYG_TAGS, "attention"),
    ),
    _make_spec(
        "transformer",
        "attention to neighbours by queries and keys",
        "transformer:Transformer",
        "Shi et al. 2021",
        tags=(*PYG_TAGS, "attention"),
    ),
    _make_spec(
        "monet",
        "Gaussian mixture filters of an edge's direction",
        "monet:MoNet",
        "Monti et al. 2017",
        symmetry="",
        tags=PYG_TAGS,
    ),
)
