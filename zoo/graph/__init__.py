"""Build graphs over pixels: the grid, and graphs that depend on the image (nearest neighbours, superpixels)."""

from zoo.graph.grid import PixelGraph
from zoo.graph.knn import gather_neighbours, nearest_neighbours
from zoo.graph.superpixels import Superpixels, slic

__all__ = ["PixelGraph", "Superpixels", "gather_neighbours", "nearest_neighbours", "slic"]
