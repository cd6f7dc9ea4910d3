"""How to choose what to label: tensors and small records in, global row ids out. Nothing here knows Lightning."""

from lit_al.strategies.ratio import Choice, Direction, RatioSampling

__all__ = ["Choice", "Direction", "RatioSampling"]
