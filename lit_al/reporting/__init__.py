"""What a run shows: console, TensorBoard, figures, the report as one file."""
