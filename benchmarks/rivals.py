"""The rivals of `speed.py`, each in a process of its own: the example's model, trained, asked and fed in another way.

    python benchmarks/rivals.py NAME FOLDER

reads commands from standard input, one a line, and answers each with a line of JSON. `FOLDER` holds what all rivals
share: `tokens.npy` (N, T) uint16, `labels.npy` (N,) int64 and `texts.json`.

| command | answer |
|---|---|
| `train N` | seconds of each of N training steps of 256 texts |
| `score N` | seconds to score N texts |
| `encode N` | seconds to learn the vocabulary from N texts and to encode them |
| `memory` | largest resident memory so far, in MB |
"""

import json
import os
import sys
import time
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from typing_extensions import override

BATCH, WORDS, LENGTH, MEMBERS = 256, 3_000, 150, 5


def seconds(call: Callable[[], object]) -> float:
    """How long a call takes."""
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


class Rival(ABC):
    """A model of the example's shape, and how it is trained, asked and fed."""

    def __init__(self, folder: Path) -> None:
        self.tokens = np.load(folder / "tokens.npy")  # (N, T) uint16
        self.labels = np.load(folder / "labels.npy")  # (N,) int64
        self.texts = folder / "texts.json"
        self.scoring_batch = 0

    @abstractmethod
    def train(self, steps: int) -> list[float]:
        """Seconds of each training step."""

    @abstractmethod
    def predict(self, rows: int, batch: int) -> object:
        """Probabilities of the first rows, in batches of a size."""

    def score(self, rows: int) -> float:
        """Seconds to score the first rows; the first call finds the batch size that suits this rival best."""
        if not self.scoring_batch:
            self.predict(rows, BATCH)
            trials = {size: seconds(lambda size=size: self.predict(rows, size)) for size in (BATCH, 1_000)}
            self.scoring_batch = min(trials, key=lambda size: trials[size])
        return seconds(lambda: self.predict(rows, self.scoring_batch))

    def encode(self, rows: int) -> float | None:
        """Seconds to learn the vocabulary from the first texts and encode them; None where that is another's work."""
        return None

    def read_texts(self, rows: int) -> list[str]:
        """The first texts, over again where there are fewer."""
        texts = json.loads(self.texts.read_text(encoding="utf-8"))
        return (texts * -(-rows // len(texts)))[:rows]

    def batches(self, steps: int) -> tuple[np.ndarray, np.ndarray]:
        """Tokens (steps * B, T) and labels of as many batches, over again where there are fewer."""
        rows = np.arange(steps * BATCH) % len(self.tokens)
        return self.tokens[rows], self.labels[rows]


class Torch(Rival):
    """A torch network in a plain loop."""

    def __init__(self, folder: Path, net: Any) -> None:
        super().__init__(folder)
        import torch

        self.torch, self.net = torch, net.train()
        self.optimizer = torch.optim.RMSprop(net.parameters(), lr=1e-3, alpha=0.9, eps=1e-7)

    @override
    def train(self, steps: int) -> list[float]:
        return self.train_with(steps, self.torch.nn.functional.binary_cross_entropy_with_logits)

    def train_with(self, steps: int, loss: Callable[[Any, Any], Any]) -> list[float]:
        """Seconds of each training step with a loss of logits and labels."""
        self.net.train()
        tokens, labels = map(self.torch.from_numpy, self.batches(steps))
        found = []
        for part, truth in zip(tokens.split(BATCH), labels.float().split(BATCH), strict=True):
            began = time.perf_counter()
            self.optimizer.zero_grad()
            loss(self.net(part), truth).backward()
            self.optimizer.step()
            found.append(time.perf_counter() - began)
        return found

    @override
    def predict(self, rows: int, batch: int) -> object:
        self.net.eval()
        with self.torch.no_grad():
            parts = self.torch.from_numpy(self.tokens[:rows]).split(batch)
            return self.torch.cat([self.net(part).sigmoid() for part in parts])


class LitAL(Torch):
    """lit_al's network with one of its kernels, in a plain loop; its encoder."""

    def __init__(self, folder: Path, kernel: str = "cpu") -> None:
        from lit_al import LitBiLSTM

        super().__init__(folder, LitBiLSTM(kernel=kernel).net)
        self.kernel = kernel

    @override
    def encode(self, rows: int) -> float | None:
        if self.kernel != "cpu":  # the same encoder
            return None
        from lit_al import TextEncoder

        texts = self.read_texts(rows)
        return seconds(lambda: TextEncoder.fit(texts).encode(texts))


class LitALCommittee(LitAL):
    """Five of lit_al's networks in one batched pass."""

    def __init__(self, folder: Path) -> None:
        from lit_al.models.ensemble import LitCommittee

        Torch.__init__(self, folder, LitCommittee(range(MEMBERS)).net)

    @override
    def train(self, steps: int) -> list[float]:
        from lit_al.models.ensemble import LitCommittee

        return self.train_with(steps, lambda logits, labels: LitCommittee.cross_entropy(logits, labels).mean(1).sum())

    @override
    def predict(self, rows: int, batch: int) -> object:
        self.net.eval()
        with self.torch.no_grad():
            parts = self.torch.from_numpy(self.tokens[:rows]).split(batch)
            return self.torch.cat([self.net(part).sigmoid() for part in parts], dim=1)

    @override
    def encode(self, rows: int) -> float | None:
        return None


class InLightning(Torch):
    """A LightningModule fitted by a Trainer; the time of a step is the time from one batch end to the next."""

    def __init__(self, folder: Path, module: Any) -> None:
        super().__init__(folder, module)

    @override
    def train(self, steps: int) -> list[float]:
        import lightning

        clock = make_clock()
        trainer = lightning.Trainer(
            max_epochs=1,
            accelerator="cpu",
            callbacks=[clock],
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            num_sanity_val_steps=0,
        )
        trainer.fit(self.net, self.loader(steps + 1))
        return [after - before for before, after in pairwise(clock.ends)]

    def loader(self, steps: int) -> Any:
        """Batches as this rival's user would serve them."""
        from torch.utils.data import DataLoader, TensorDataset

        tokens, labels = map(self.torch.from_numpy, self.batches(steps))
        return DataLoader(TensorDataset(tokens.int(), labels), batch_size=BATCH)


class LitALInLightning(InLightning):
    """lit_al as its users run it: its LightningModule and its batches."""

    def __init__(self, folder: Path) -> None:
        from lit_al import LitBiLSTM

        super().__init__(folder, LitBiLSTM())

    @override
    def loader(self, steps: int) -> Any:
        from lit_al.models.batches import Batches

        tokens, labels = map(self.torch.from_numpy, (self.tokens, self.labels))
        return Batches(tokens, labels, self.torch.arange(steps * BATCH) % len(tokens), BATCH)


class Keras(Rival):
    """Keras 3 on one of its backends, through `fit` and `predict`."""

    def __init__(self, folder: Path, backend: str) -> None:
        super().__init__(folder)
        os.environ["KERAS_BACKEND"] = backend
        import keras
        from keras_active import make_model

        self.keras, self.model = keras, make_model(keras)

    @override
    def train(self, steps: int) -> list[float]:
        tokens, labels = self.batches(steps)
        tokens = tokens.astype(np.int32)
        whole = seconds(lambda: self.model.fit(tokens, labels, batch_size=BATCH, epochs=1, verbose=0))
        return [whole / steps] * steps  # it does not wait for each step

    @override
    def predict(self, rows: int, batch: int) -> object:
        return self.model.predict(self.tokens[:rows].astype(np.int32), batch_size=batch, verbose=0)

    @override
    def encode(self, rows: int) -> float | None:
        if self.keras.backend.backend() != "tensorflow":  # its text layer is TensorFlow's
            return None
        import tensorflow as tf

        texts = tf.data.Dataset.from_tensor_slices(self.read_texts(rows)).batch(BATCH)

        def adapt_and_map() -> None:
            layer = self.keras.layers.TextVectorization(WORDS, output_sequence_length=LENGTH)
            layer.adapt(texts)
            for _ in texts.map(layer, num_parallel_calls=tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE):
                pass

        return seconds(adapt_and_map)


def make_clock() -> Any:
    """A Lightning callback that notes when each training batch ended."""
    import lightning

    class Clock(lightning.Callback):
        def __init__(self) -> None:
            self.ends: list[float] = []

        def on_train_batch_end(self, *_: object) -> None:
            self.ends.append(time.perf_counter())

    return Clock()


def make_lstm() -> Any:
    """The example's model on `torch.nn.LSTM`."""
    from torch import Tensor, nn

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding = nn.Embedding(WORDS, 128)
            self.lstm = nn.LSTM(128, 32, bidirectional=True, batch_first=True)
            self.head = nn.Sequential(nn.Linear(64, 20), nn.ReLU(), nn.Dropout(0.5), nn.Linear(20, 1))

        def forward(self, tokens: Tensor) -> Tensor:
            states, _ = self.lstm(self.embedding(tokens.int()))  # (B, T, 2H)
            return self.head(states.amax(dim=1)).squeeze(-1)  # type: ignore[no-any-return]  # torch: what a module returns

    return Net()


def make_lit_lstm() -> Any:
    """The same as a LightningModule, written as in Lightning's own examples."""
    import lightning
    import torch
    from torchmetrics.classification import BinaryAccuracy

    class LitLSTM(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.net, self.accuracy = make_lstm(), BinaryAccuracy()

        def forward(self, tokens: torch.Tensor) -> torch.Tensor:
            return self.net(tokens)  # type: ignore[no-any-return]  # as above

        def training_step(self, batch: tuple[torch.Tensor, torch.Tensor], _: int) -> torch.Tensor:
            logits = self(batch[0])
            loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, batch[1].float())
            self.accuracy(logits.detach(), batch[1])
            self.log("loss", loss, on_step=False, on_epoch=True)
            self.log("accuracy", self.accuracy, on_step=False, on_epoch=True)
            return loss

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.RMSprop(self.parameters(), lr=1e-3, alpha=0.9, eps=1e-7)

    return LitLSTM()


RIVALS: dict[str, Callable[[Path], Rival]] = {
    "lit_al": LitAL,
    "lit_al, kernel lstm": lambda folder: LitAL(folder, "lstm"),
    "lit_al, kernel reference": lambda folder: LitAL(folder, "reference"),
    "lit_al, committee of 5": LitALCommittee,
    "lit_al in Lightning": LitALInLightning,
    "nn.LSTM": lambda folder: Torch(folder, make_lstm()),
    "nn.LSTM in Lightning": lambda folder: InLightning(folder, make_lit_lstm()),
    "Keras, TensorFlow": lambda folder: Keras(folder, "tensorflow"),
    "Keras, JAX": lambda folder: Keras(folder, "jax"),
}
LIBRARIES = {"Keras, TensorFlow": ("keras", "tensorflow"), "Keras, JAX": ("keras", "jax")}


def peak_memory() -> int:
    """Largest resident memory of this process so far, in MB."""
    from lit_al.utils.folders import peak_memory_mb

    return round(peak_memory_mb())


def main() -> None:
    """Answer commands until standard input ends."""
    warnings.simplefilter("ignore")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import logging

    logging.disable(logging.WARNING)
    name, folder = sys.argv[1:]
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what a library prints must not stand among the answers
    rival = RIVALS[name](Path(folder))
    for line in sys.stdin:
        command, *numbers = line.split()
        call = peak_memory if command == "memory" else getattr(rival, command)
        print(json.dumps(call(*map(int, numbers))), file=answers)


if __name__ == "__main__":
    main()
