"""One run: its program and options, its folder, training, checkpoints, and playing."""
