"""Find settings: a learning rate, a batch size, or the best trial of a grid."""
