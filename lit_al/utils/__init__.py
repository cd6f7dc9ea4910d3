"""What every room uses and no reader of active learning looks for: files, signals, memory, the terminal."""
