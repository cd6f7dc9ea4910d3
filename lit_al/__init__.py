"""Active learning for text classification on PyTorch Lightning 2.

A map of the package, in the direction of the data; imports run downwards only:

| module | what it is |
|---|---|
| `errors` | what can go wrong, as one tree |
| `compiled` | how loops are compiled |
| `durable` | what must outlive a power cut |
| `links` | a run's own files, never reached through a symbolic link |
| `faults` | places at which a test may end the process |
| `record` | every answer ever given, in one SQLite file that never loses one |
| `outputs` | small frozen records that the parts hand each other |
| `sheets` | CSV and JSONL, read strictly |
| `resume`, `interrupts` | what may stand beside `--resume`; signals that end a run well |
| `exchange`, `answering` | questions, answers and labels out to files and in; people who answer by file |
| `states`, `ledger` | what a run saves between rounds; its record, as a run with rounds keeps it |
| `corpora`, `demo` | texts, labels, class names, stable row ids; generated reviews |
| `text`, `words` | texts to rows of word ids; the compiled loops over their bytes |
| `lengths` | texts of like length side by side |
| `split` | the one mutable thing: validation, test, labeled, pool |
| `kernels`, `bilstm` | the recurrence, and the network around it |
| `model` | the network as a LightningModule |
| `cache`, `vectors`, `wordvectors` | what is computed once for a corpus; vectors without a model |
| `datamodule` | the split as a LightningDataModule |
| `committee` | M networks side by side |
| `scoring`, `checkpoints` | judge a model between fits; keep its best weights |
| `strategies`, `oracles` | choose what to label; answer |
| `sight` | what a strategy asked for, computed; the training of a committee |
| `callback` | the active-learning loop as a Lightning callback |
| `features`, `prior` | what unlabeled texts teach before the first label |
| `teacher`, `student` | soft labels for the whole pool; the network that learns from them |
| `recipes` | how a round of the honest loop trains, part by part |
| `lean`, `leanstate`, `steps` | the honest loop, every label counted; its runs as data; a fit of so many steps |
| `validation` | what labels paid for say of a model that has not learned from them |
| `stopping` | when to stop labeling, also in shadow |
| `history`, `fitting`, `learner` | epoch curves; a fit that Ctrl-C can end; the loop over fresh Trainers |
| `material`, `leanrun` | what a run works on; the honest loop as a run with a folder |
| `example`, `examplerun` | the loop of the Keras example, from settings; the same with a folder |
| `annotate` | people label: a page, a terminal, the trainer beside them |
| `run`, `report`, `board`, `plots` | a run's folder, console, TensorBoard, pictures |
| `rows`, `judging` | how a row of a benchmark is spelled; what a cell says of a model and a batch |
| `cells`, `statistics`, `verdict`, `curves` | a benchmark's table, what it shows, in words, in pictures |
| `picks`, `explain` | which texts a run chose; why |
| `page` | a run or a benchmark as one HTML file |
| `baselines` | what a user would take instead: linear models |
| `bench` | rows compared over seeds and budgets |
| `experiment`, `predict`, `config`, `cli` | a whole run; new texts; options; the command line |

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
    from lit_al.loop.callback import ActiveLearningCallback as ActiveLearningCallback
    from lit_al.loop.data_module import ActiveDataModule as ActiveDataModule
    from lit_al.loop.learner import ActiveLearner as ActiveLearner
    from lit_al.models.lit_bilstm import LitBiLSTM as LitBiLSTM
    from lit_al.models.prediction import classify as classify
    from lit_al.oracles import SimulatedOracle as SimulatedOracle
    from lit_al.strategies import RatioSampling as RatioSampling
    from lit_al.text.encoder import TextEncoder as TextEncoder

# torch's OpenMP threads (GNU's, on Linux) wait for their next task by spinning, for milliseconds, on the cores that the
# kernel's own threads need. A short wait costs torch nothing. OpenMP reads this when torch is imported: import lit_al
# first, or set it yourself.
os.environ.setdefault("GOMP_SPINCOUNT", "3000")

_HOMES = {
    "ActiveDataModule": "loop.data_module",
    "ActiveLearner": "loop.learner",
    "ActiveLearningCallback": "loop.callback",
    "Corpus": "data",
    "LitALError": "exceptions",
    "LitBiLSTM": "models.lit_bilstm",
    "RatioSampling": "strategies",
    "SimulatedOracle": "oracles",
    "Split": "data.split",
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
