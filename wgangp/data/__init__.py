"""Training data: toy distributions, images, the files they come from, and batches of whatever the user has."""
