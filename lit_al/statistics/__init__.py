"""What the curves of a benchmark prove: areas, labels needed, paired differences with intervals and tests.

| module | what it holds |
|---|---|
| `curves` | from cells to learning curves on common budgets |
| `measures` | area under a curve, labels needed to reach an accuracy |
| `inference` | bootstrap over seeds, Wilcoxon, Holm, and what few seeds cannot show |
| `compare` | each row against its reference, seed by seed |
| `costs` | seconds, class mix and diversity of the batches |
| `stops` | where each stopping rule would have stopped, and at what cost |
| `synthetic` | benchmarks whose truth is known |
"""

from lit_al.statistics.compare import Comparison, Saving, compare, full_targets, reaches, reference_target
from lit_al.statistics.costs import Costs, costs
from lit_al.statistics.curves import Curves, learning_curves
from lit_al.statistics.inference import (
    Interval,
    band,
    bootstrap,
    draw_seeds,
    holm,
    seeds_needed,
    smallest_p,
    wilcoxon,
)
from lit_al.statistics.measures import Reach, area, labels_to_reach, reach
from lit_al.statistics.stops import Stops, stops

__all__ = [
    "Comparison",
    "Costs",
    "Curves",
    "Interval",
    "Reach",
    "Saving",
    "Stops",
    "area",
    "band",
    "bootstrap",
    "compare",
    "costs",
    "draw_seeds",
    "full_targets",
    "holm",
    "labels_to_reach",
    "learning_curves",
    "reach",
    "reaches",
    "reference_target",
    "seeds_needed",
    "smallest_p",
    "stops",
    "wilcoxon",
]
