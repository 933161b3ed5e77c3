"""What runs beneath: devices, several processes, checkpoints, files, progress."""
