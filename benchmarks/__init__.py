"""zoo beside its peers: `python -m benchmarks NAME` runs one comparison, `python -m benchmarks report` writes the page."""
