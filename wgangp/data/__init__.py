"""Training data: toy distributions, and batches of whatever the user has."""
