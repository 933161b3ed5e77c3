"""What training runs on: devices, several processes, checkpoints, files, the environment, progress."""
