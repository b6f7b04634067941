"""Compare zoo with other libraries: `python -m benchmarks NAME` runs one comparison, `report` writes the page."""
