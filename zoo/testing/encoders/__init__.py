"""Check graph encoders."""
