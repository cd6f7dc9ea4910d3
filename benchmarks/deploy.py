"""What an exported model weighs, how fast it is and how right, in each precision: the figures of docs/deploy.md.

    python benchmarks/deploy.py MODEL HELD_OUT.csv

Each row reads the same labeled texts, from text to probabilities: in batches, and one by one. Times are CPU seconds of
the process, on one thread, so that what else the machine does counts little; rows take turns, and of each the fastest
turn counts. Answers and probabilities are compared with those of the package's own kernel.
"""

import lit_al  # noqa: F401, I001  # before torch, so that torch's threads do not spin on the kernel's cores

import argparse
import os
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, get_args

import numpy as np
import torch
from rich import get_console
from rich.table import Table

from lit_al.calibration import calibration_error
from lit_al.delivery.delivery_options import ExportModelOptions, Precision
from lit_al.delivery.exporting import GRAPH, export_model, session
from lit_al.delivery.held_out import HeldOut
from lit_al.delivery.model_card import python_code
from lit_al.metrics import Evaluation
from lit_al.models.bilstm import probabilities_of
from lit_al.models.checkpoint import load_frozen
from lit_al.models.lit_bilstm import LitBiLSTM

BATCH, TURNS, SINGLE = 32, 3, 200

Ask = Callable[[list[str]], Any]  # texts to probabilities (n, C)


def main() -> None:
    """Export, read, print."""
    torch.set_num_threads(1)
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("data")
    asked = parser.parse_args()
    with TemporaryDirectory() as folder:
        ways = dict(each_way(asked.model, Path(folder)))
        whole = load_frozen(Path(folder) / "fp32")
        options = ExportModelOptions(model=asked.model, to=Path(folder), data=asked.data)
        held = HeldOut.read(options, whole.classes)
        table = Table(title=f"{asked.model.name}: {len(held.texts):,} texts of {held.source}, one thread")
        head = ("MB", "texts/s, batches of 32", "p50 ms", "p99 ms", "accuracy", "loss", "ECE", "other answers", "p off")
        for name in ("", *head):
            table.add_column(name, justify="right")
        exact = in_batches(ways["the package's kernel"][1], held.texts)
        for name, row in measured(ways, held, exact).items():
            table.add_row(name, *row)
        get_console().print(table)


def each_way(model: Path, folder: Path) -> Iterator[tuple[str, tuple[int, Ask]]]:
    """Bytes, and what reads texts, by name."""
    for precision in get_args(Precision):
        to = folder / precision
        export_model(ExportModelOptions(model=model, to=to, precision=precision, calibrate=False))
        yield f"onnxruntime {precision}", ((to / GRAPH).stat().st_size, by_onnx(to))
    weights = (folder / "fp32" / "model.safetensors").stat().st_size
    frozen, plain = load_frozen(folder / "fp32"), LitBiLSTM.from_pretrained(folder / "fp32", kernel="lstm").eval()
    yield "the package's kernel", (weights, lambda texts: by_torch(frozen, texts))
    yield "torch's LSTM", (weights, lambda texts: by_torch(plain, texts))


def by_onnx(folder: Path) -> Ask:
    """As the model card has it, on one thread."""
    encoder, net = load_frozen(folder).encoder, load_frozen(folder).net
    assert encoder is not None  # an exported model has one
    files = {"tokenizer.json": str(folder / "tokenizer.json"), "model.onnx": str(folder / GRAPH)}
    code = python_code(encoder, net.lstm.masked).partition("print(")[0]
    for name, path in files.items():
        code = code.replace(f'"{name}"', repr(path))
    names: dict[str, Any] = {}
    exec(code, names)
    names["session"] = session(folder / GRAPH)
    ask: Ask = names["probabilities"]
    return ask


@torch.no_grad()
def by_torch(model: Any, texts: list[str]) -> Any:
    """By the network itself, whose kernel is that of its settings."""
    return probabilities_of(model.net(torch.from_numpy(model.encoder.encode(texts).astype(np.int64)))).numpy()


def in_batches(ask: Ask, texts: Any) -> Any:
    """(n, C)."""
    return np.concatenate([ask(list(texts[at : at + BATCH])) for at in range(0, len(texts), BATCH)])


def measured(ways: dict[str, tuple[int, Ask]], held: HeldOut, exact: Any) -> dict[str, list[str]]:
    """The cells of each row."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    single: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(TURNS):
        for name, (_, ask) in ways.items():
            ask(list(held.texts[:BATCH]))
            seconds[name].append(timed(partial(in_batches, ask, held.texts)))
            single[name] += [timed(partial(ask, [text])) for text in held.texts[:SINGLE]]
    rows = {}
    for name, (size, ask) in ways.items():
        said = in_batches(ask, held.texts)
        judged = Evaluation.of(said, held.labels)
        others = int((said.argmax(axis=1) != exact.argmax(axis=1)).sum())
        p50, p99 = 1_000 * np.quantile(single[name], [0.5, 0.99])
        rows[name] = [
            f"{size / 1e6:.2f}", f"{len(held.texts) / min(seconds[name]):,.0f}", f"{p50:.2f}", f"{p99:.2f}",
            f"{judged.accuracy:.4f}", f"{judged.loss:.4f}", f"{calibration_error(said, held.labels):.4f}",
            f"{others}", f"{abs(said - exact).max():.0e}",
        ]  # fmt: skip
    return rows


def timed(call: Callable[[], object]) -> float:
    """CPU seconds that a call takes."""
    began = time.process_time()
    call()
    return time.process_time() - began


if __name__ == "__main__":
    main()
