"""How fast the example's model trains and scores on a CPU, beside its rivals in the same process.

    python benchmarks/speed.py --quick --json speed.json

Rivals: `nn.LSTM` in plain torch, and Keras 3 with the TensorFlow backend where it is installed (the extra `keras`).
Every rival runs the example's model: 3,000 words, 150 tokens, batches of 256. They take turns, a few steps each, over
several repeats, so that a machine that slows down slows them all; the median step counts.

In `ratios` a number above 1 says that lit_al is faster, except for `lightning_vs_plain_loop`: what a step costs inside
Lightning over what it costs in a plain loop. It is null where a rival is not installed.
"""

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import lightning as L
import numpy as np
import torch
from torch import Tensor, nn

from lit_al.datamodule import Batches
from lit_al.model import LitBiLSTM
from lit_al.scoring import inference

WORDS, LENGTH, BATCH, EMBEDDING, HIDDEN = 3_000, 150, 256, 128, 32


def make_tokens(rows: int) -> Tensor:
    """Word ids with the frequencies of natural text and padded tails, (rows, 150) uint16."""
    rng = np.random.default_rng(0)
    ids = np.minimum(rng.zipf(1.2, (rows, LENGTH)), WORDS - 1)
    ids[np.arange(LENGTH) >= rng.integers(60, 400, (rows, 1))] = 0  # two texts in three are longer than 150 words
    return torch.from_numpy(ids.astype(np.uint16))


class TorchNet(nn.Module):
    """The example's model on `torch.nn.LSTM`."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(WORDS, EMBEDDING)
        self.lstm = nn.LSTM(EMBEDDING, HIDDEN, bidirectional=True, batch_first=True)
        self.head = nn.Sequential(nn.Linear(2 * HIDDEN, 20), nn.ReLU(), nn.Dropout(0.5), nn.Linear(20, 1))

    def forward(self, tokens: Tensor) -> Tensor:
        """Logits (B,) of tokens (B, T)."""
        states, _ = self.lstm(self.embedding(tokens.int()))  # (B, T, 2H)
        logits: Tensor = self.head(states.amax(dim=1)).squeeze(-1)
        return logits


def torch_step(net: nn.Module, tokens: Tensor, labels: Tensor) -> Callable[[], None]:
    """One training step of a torch network in a plain loop."""
    optimizer = torch.optim.RMSprop(net.parameters(), lr=1e-3, alpha=0.9, eps=1e-7)
    loss = nn.BCEWithLogitsLoss()

    def step() -> None:
        optimizer.zero_grad()
        loss(net(tokens), labels).backward()
        optimizer.step()

    return step


def torch_scoring(net: nn.Module, tokens: Tensor, batch: int) -> Callable[[], None]:
    """One pass over a pool without gradients."""

    def score() -> None:
        with inference(net):
            for part in torch.split(tokens, batch):
                net(part)

    return score


def keras_rival(tokens: Tensor, labels: Tensor, pool: Tensor) -> tuple[Callable[[], None], Callable[[], None]]:
    """Training step and `predict` of the example's model in Keras 3."""
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    import keras
    from keras import layers

    model = keras.Sequential(
        [
            layers.Input((LENGTH,)),
            layers.Embedding(WORDS, EMBEDDING),
            layers.Bidirectional(layers.LSTM(HIDDEN, return_sequences=True)),
            layers.GlobalMaxPool1D(),
            layers.Dense(20, activation="relu"),
            layers.Dropout(0.5),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(loss="binary_crossentropy", optimizer="rmsprop")
    x, y, many = tokens.numpy().astype(np.int32), labels.numpy(), pool.numpy().astype(np.int32)
    return lambda: model.train_on_batch(x, y), lambda: model.predict(many, batch_size=BATCH, verbose=0)


def take_turns(rivals: dict[str, Callable[[], None]], repeats: int, steps: int) -> dict[str, float]:
    """Median seconds of a call of each; the first call of each, which compiles, does not count."""
    seconds: dict[str, list[float]] = {name: [] for name in rivals}
    for call in rivals.values():
        call()
    for _ in range(repeats):
        for name, call in rivals.items():
            for _ in range(steps):
                began = time.perf_counter()
                call()
                seconds[name].append(time.perf_counter() - began)
    return {name: statistics.median(times) for name, times in seconds.items()}


class StepClock(L.Callback):
    """Seconds from batch to batch inside Lightning."""

    def __init__(self) -> None:
        self.ends: list[float] = []

    def on_train_batch_end(self, *_: object) -> None:
        """Note the time."""
        self.ends.append(time.perf_counter())


def lightning_step(tokens: Tensor, labels: Tensor, steps: int) -> float:
    """Median seconds of a training step of `LitBiLSTM` inside a Trainer."""
    clock = StepClock()
    trainer = L.Trainer(
        max_epochs=1,
        accelerator="cpu",
        callbacks=[clock],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    rows = torch.arange(BATCH).repeat(steps)
    trainer.fit(LitBiLSTM(), Batches(tokens, labels.long(), rows, BATCH))
    return statistics.median(np.diff(clock.ends).tolist())


def measure(quick: bool) -> dict[str, dict[str, float | None]]:
    """Seconds of everything, and the ratios."""
    repeats, steps, texts = (3, 5, 5_000) if quick else (10, 10, 25_000)
    tokens, pool = make_tokens(BATCH), make_tokens(texts)
    labels = torch.randint(0, 2, (BATCH,)).float()
    ours, theirs = LitBiLSTM().net.train(), TorchNet().train()
    training = {"lit_al": torch_step(ours, tokens, labels), "nn.LSTM": torch_step(theirs, tokens, labels)}
    scoring = {"lit_al": torch_scoring(ours, pool, 1_000), "nn.LSTM": torch_scoring(theirs, pool, BATCH)}
    if find_spec("keras"):
        training["keras"], scoring["keras"] = keras_rival(tokens, labels, pool)
    step, score = take_turns(training, repeats, steps), take_turns(scoring, repeats, 1)
    plain_before = take_turns({"lit_al": training["lit_al"]}, 1, 4 * steps)["lit_al"]
    inside = lightning_step(tokens, labels, 4 * steps)
    plain_after = take_turns({"lit_al": training["lit_al"]}, 1, 4 * steps)["lit_al"]
    keras_step, keras_score = step.get("keras"), score.get("keras")
    return {
        "training_step_seconds": {**step, "lit_al in Lightning": inside},
        "scoring_texts_per_second": {name: texts / seconds for name, seconds in score.items()},
        "ratios": {
            "train_step_vs_nn_lstm": step["nn.LSTM"] / step["lit_al"],
            "train_step_vs_keras": keras_step / step["lit_al"] if keras_step else None,
            "lightning_vs_plain_loop": 2 * inside / (plain_before + plain_after),
            "scoring_vs_nn_lstm": score["nn.LSTM"] / score["lit_al"],
            "scoring_vs_keras": keras_score / score["lit_al"] if keras_score else None,
        },
    }


def main() -> None:
    """Measure, print a table, write JSON."""
    parser = argparse.ArgumentParser(description="Speed of the example's model beside its rivals, on the CPU.")
    parser.add_argument("--quick", action="store_true", help="Fewer repeats and texts.")
    parser.add_argument("--json", type=Path, metavar="FILE", help="Write the figures there.")
    options = parser.parse_args()
    found = measure(options.quick)
    for title, values in found.items():
        print(title.replace("_", " "))
        for name, value in values.items():
            print(f"  {name:24s} {'not installed' if value is None else f'{value:,.4g}'}")
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
