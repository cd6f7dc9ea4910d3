"""What a cell of a benchmark says of a model, and of the batch it learned from."""

from typing import Any

import numpy as np
import numpy.typing as npt

from lit_al.metrics import Evaluation
from lit_al.typing import Floats, Ints


def judgment(probabilities: Floats, truth: Ints) -> dict[str, Any]:
    """A cell's `accuracy`, `macro_f1` and `loss` of probabilities (n, C) for true classes (n,)."""
    found = Evaluation.of(probabilities, truth)
    return {"accuracy": found.accuracy, "macro_f1": found.macro_f1, "loss": found.loss}


def distinct_words(tokens: npt.NDArray[np.integer[Any]]) -> float:
    """Distinct words of a batch (n, T) per text: the more alike its texts, the fewer."""
    return float(len(np.unique(tokens)) / len(tokens))
