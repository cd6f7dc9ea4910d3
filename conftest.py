"""What pytest must leave alone: modules whose one dependency is not on every machine."""

from importlib.util import find_spec

collect_ignore = (
    [] if find_spec("triton") else [f"lit_al/models/kernels/{name}.py" for name in ("cuda", "triton_loops")]
)
