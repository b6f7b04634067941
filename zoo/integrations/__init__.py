"""zoo's models in other libraries: each adapter is called on purpose, and nothing registers itself."""
