"""What pytest must leave alone: modules whose one dependency is not on every machine."""

from importlib.util import find_spec

collect_ignore = [] if find_spec("triton") else ["lit_al/models/kernels/cuda.py"]
