"""Graphs over pixels: the grid with its views, and graphs that are learned from what the pixels show."""

from zoo.graph.grid import PixelGraph
from zoo.graph.knn import gather_neighbours, nearest_neighbours
from zoo.graph.superpixels import Superpixels, slic

__all__ = ["PixelGraph", "Superpixels", "gather_neighbours", "nearest_neighbours", "slic"]
