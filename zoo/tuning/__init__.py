"""Find settings: learning rate, batch size, sweeps."""
