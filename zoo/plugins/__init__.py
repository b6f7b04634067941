"""Find, load, check and list plugins, without importing torch."""
