"""Check whole plugins."""
