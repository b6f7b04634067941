"""Measure how good answers and generated images are."""
