"""Graphs over pixels: the grid with its views, and graphs that are learned from what the pixels show."""

from zoo.graph.grid import PixelGraph
from zoo.graph.knn import gathered, nearest
from zoo.graph.superpixels import Superpixels, superpixels

__all__ = ["PixelGraph", "Superpixels", "gathered", "nearest", "superpixels"]
