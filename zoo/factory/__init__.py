"""Make a net, fresh from a spec and a seed or begun from trained weights."""
