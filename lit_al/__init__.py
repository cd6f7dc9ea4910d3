"""Active learning for text classification on PyTorch Lightning 2.

The rooms, from the bottom up: `utils`, `metrics`, `data`, `text`, `models`, `strategies`, `stopping`, `record`,
`oracles`, `exchange`, `training`, `loop`, `reporting`, `experiment`, `benchmark`, `annotate`, `cli`; the map of them is
in docs/architecture.md.

Names below are imported when they are first used, so that `import lit_al` costs nothing.
"""

import os

if os.name == "nt":  # before any module that needs what only Unix has: fcntl, resource, termios
    raise ImportError("lit_al needs Linux or another Unix, and this is Windows; run it in WSL (wsl --install)")

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lit_al.data import Corpus as Corpus
    from lit_al.data import load_corpus as load_corpus
    from lit_al.data.split import Split as Split
    from lit_al.exceptions import LitALError as LitALError
    from lit_al.experiment.text_classifier import TextClassifier as TextClassifier
    from lit_al.loop.data_module import ActiveDataModule as ActiveDataModule
    from lit_al.models.lit_bilstm import LitBiLSTM as LitBiLSTM
    from lit_al.models.prediction import classify as classify
    from lit_al.oracles import SimulatedOracle as SimulatedOracle
    from lit_al.strategies import RatioSampling as RatioSampling
    from lit_al.text.encoder import TextEncoder as TextEncoder
    from lit_al.training.callback import ActiveLearningCallback as ActiveLearningCallback
    from lit_al.training.learner import ActiveLearner as ActiveLearner

# torch's OpenMP threads (GNU's, on Linux) wait for their next task by spinning, for milliseconds, on the cores that the
# kernel's own threads need. A short wait costs torch nothing. OpenMP reads this when torch is imported: import lit_al
# first, or set it yourself.
os.environ.setdefault("GOMP_SPINCOUNT", "3000")

_HOMES = {
    "ActiveDataModule": "loop.data_module",
    "ActiveLearner": "training.learner",
    "ActiveLearningCallback": "training.callback",
    "Corpus": "data",
    "LitALError": "exceptions",
    "LitBiLSTM": "models.lit_bilstm",
    "RatioSampling": "strategies",
    "SimulatedOracle": "oracles",
    "Split": "data.split",
    "TextClassifier": "experiment.text_classifier",
    "TextEncoder": "text.encoder",
    "classify": "models.prediction",
    "load_corpus": "data",
}

__all__ = [
    "ActiveDataModule",
    "ActiveLearner",
    "ActiveLearningCallback",
    "Corpus",
    "LitALError",
    "LitBiLSTM",
    "RatioSampling",
    "SimulatedOracle",
    "Split",
    "TextClassifier",
    "TextEncoder",
    "classify",
    "load_corpus",
]


def __getattr__(name: str) -> Any:
    """Import a public name from its module at its first use."""
    if name not in _HOMES:
        raise AttributeError(f"module 'lit_al' has no attribute {name!r}")
    return getattr(import_module(f"lit_al.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    """The public names."""
    return __all__
