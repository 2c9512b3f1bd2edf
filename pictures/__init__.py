"""What can be seen of runs: curves, films, gym's window. Nothing here loads TensorFlow."""
