"""zoo beside its peers: `python -m benchmarks NAME` runs one comparison, and `report` writes the page."""
