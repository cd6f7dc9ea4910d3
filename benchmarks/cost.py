"""What encoding, scoring and training cost as the corpus grows, in time and memory; a picture of it.

    python benchmarks/cost.py --json cost.json --picture docs/images/cost.png

Every point is measured in a process of its own, so that its memory is its own. Texts are those of the demo corpus.
Scoring reads the tokens from a mapped file, as the pool of a large corpus is read; from 5 million texts on the file
repeats the tokens of 500,000. Private memory is what the process holds beyond mapped files and libraries.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

BATCH, LENGTH = 256, 150
TEXTS = (5_000, 50_000, 500_000)
POOLS = (5_000, 50_000, 500_000, 5_000_000)
LABELS = (1_000, 5_000, 15_000, 40_000)


def private_memory() -> float:
    """MB that this process holds now and shares with no file."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("RssAnon:")) * 1024 / 1e6


def encode(rows: int, folder: Path) -> dict[str, float]:
    """Learn a vocabulary from the texts and encode them into the file that `score` reads."""
    from lit_al import TextEncoder, load_corpus

    texts = load_corpus("demo", demo_rows=rows).texts
    TextEncoder.fit(texts[:100]).encode(texts[:100])  # compiled
    before, began = private_memory(), time.perf_counter()
    ids = np.lib.format.open_memmap(folder / f"{rows}.npy", mode="w+", dtype=np.uint16, shape=(rows, LENGTH))
    TextEncoder.fit(texts).encode(texts, out=ids)
    return {"seconds": time.perf_counter() - began, "private_mb": private_memory() - before}


def score(rows: int, folder: Path) -> dict[str, float]:
    """Score a pool whose tokens are in a mapped file."""
    import torch

    from lit_al import LitBiLSTM
    from lit_al.models.batches import EVALUATION_BATCH, Batches
    from lit_al.models.scoring import score as score_pool

    path = folder / f"{rows}.npy"
    if not path.exists():  # more than were encoded: the largest file over again
        source = np.load(max(folder.glob("*.npy"), key=lambda file: int(file.stem)), mmap_mode="r")
        ids = np.lib.format.open_memmap(path, mode="w+", dtype=np.uint16, shape=(rows, LENGTH))
        for start in range(0, rows, len(source)):
            ids[start : start + len(source)] = source[: rows - start]
    model, tokens = LitBiLSTM(), torch.from_numpy(np.load(path, mmap_mode="c"))
    score_pool(model, Batches(tokens, None, torch.arange(2 * EVALUATION_BATCH), EVALUATION_BATCH))  # compiled
    peaks, before, began = [], private_memory(), time.perf_counter()

    class Watched(Batches):
        def __iter__(self) -> Any:
            for number, batch in enumerate(super().__iter__()):
                if number % 50 == 0:
                    peaks.append(private_memory())
                yield batch

    score_pool(model, Watched(tokens, None, torch.arange(rows), EVALUATION_BATCH))
    seconds = time.perf_counter() - began
    return {"seconds": seconds, "private_mb": max(*peaks, private_memory()) - before}


def train(labels: int, folder: Path) -> dict[str, float]:
    """One epoch inside Lightning, with its validation of 5,000 texts."""
    import lightning as L
    import torch

    from lit_al import LitBiLSTM
    from lit_al.models.batches import EVALUATION_BATCH, Batches

    tokens = torch.from_numpy(np.load(folder / "50000.npy"))
    truth = torch.randint(0, 2, (len(tokens),))
    validation = Batches(tokens, truth, torch.arange(40_000, 45_000), EVALUATION_BATCH)
    shuffled = Batches(tokens, truth, torch.arange(labels), BATCH, torch.Generator().manual_seed(0))
    off = dict.fromkeys(("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary"), False)
    model = LitBiLSTM()
    L.Trainer(max_epochs=1, accelerator="cpu", limit_train_batches=3, **off).fit(
        model, shuffled, validation
    )  # compiled
    before, began = private_memory(), time.perf_counter()
    L.Trainer(max_epochs=1, accelerator="cpu", num_sanity_val_steps=0, **off).fit(model, shuffled, validation)
    return {"seconds": time.perf_counter() - began, "private_mb": private_memory() - before}


TASKS = {"encode": (encode, TEXTS), "score": (score, POOLS), "train": (train, LABELS)}


def measure(console: Console) -> dict[str, list[dict[str, float]]]:
    """Every point of every task, each in a new process."""
    found: dict[str, list[dict[str, float]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for task, (_, sizes) in TASKS.items():
            for size in sizes:
                command = [sys.executable, __file__, "--task", task, str(size), folder]
                with console.status(f"{task} {size:,}"):
                    answer = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
                point = {"size": size, **json.loads(answer.stdout.splitlines()[-1])}
                found.setdefault(task, []).append(point)
                console.print(
                    f"{task:7s} {size:>10,}  {point['seconds']:8.2f} s  {size / point['seconds']:>10,.0f} a second  "
                    f"{point['private_mb']:7.0f} MB",
                    highlight=False,
                )
    return found


def draw(found: dict[str, list[dict[str, float]]], path: Path) -> None:
    """Seconds and memory against size, on logarithmic axes."""
    from matplotlib.figure import Figure

    names = {"encode": "encode texts", "score": "score texts", "train": "train one epoch"}
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    time_axes, memory_axes = figure.subplots(1, 2)
    for (task, points), color in zip(found.items(), ("#0072b2", "#d55e00", "#009e73"), strict=True):
        sizes = [point["size"] for point in points]
        for axes, key in ((time_axes, "seconds"), (memory_axes, "private_mb")):
            values = [max(point[key], 1e-2) for point in points]
            axes.plot(sizes, values, "o-", color=color, markersize=4)
            beside = task == "score" or (task == "encode" and key == "seconds")
            place, side = ((6, -4), "left") if beside else ((0, 9), "right")
            axes.annotate(names[task], (sizes[-1], values[-1]), place, textcoords="offset points", color=color,
                          va="center", ha=side, fontsize=9)  # fmt: skip
    sizes = np.array(POOLS)
    memory_axes.plot(sizes, sizes * 2 * LENGTH / 1e6, ":", color="gray")
    memory_axes.annotate("their tokens (mapped)", (sizes[2], sizes[2] * 2 * LENGTH / 1e6), (-6, 6),
                         textcoords="offset points", color="gray", ha="right", fontsize=9)  # fmt: skip
    for axes, label in ((time_axes, "seconds"), (memory_axes, "private memory, MB")):
        axes.set(xscale="log", yscale="log", xlabel="texts", ylabel=label, xlim=(700, 1e8))
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.25)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)


def main() -> None:
    """Measure, print, draw, write; or be one of the processes that measure."""
    parser = argparse.ArgumentParser(description="Cost of encoding, scoring and training against corpus size.")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--picture", type=Path, metavar="FILE")
    parser.add_argument("--read", type=Path, metavar="FILE", help="Draw figures of an earlier run.")
    parser.add_argument("--task", nargs=3, metavar=("TASK", "SIZE", "FOLDER"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.task:
        task, size, folder = options.task
        print(json.dumps(TASKS[task][0](int(size), Path(folder))))
        return
    found = json.loads(options.read.read_text()) if options.read else measure(Console())
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    if options.picture:
        draw(found, options.picture)


if __name__ == "__main__":
    main()
