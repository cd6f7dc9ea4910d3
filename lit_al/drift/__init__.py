"""Has what a model reads changed? What is counted of texts, the model's own reference, and tests between the two."""
