"""Training data: toy distributions, images, text, fields, the files they come from, and batches of any data."""
