"""Write files whole or not at all, and read them with every byte checked."""
