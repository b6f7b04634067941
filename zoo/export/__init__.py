"""Write a model in formats that run without zoo."""
