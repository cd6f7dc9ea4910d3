"""How fast the example's model trains, scores and encodes on a CPU, beside its rivals.

    python benchmarks/speed.py --quick --json speed.json
    python benchmarks/speed.py --data ../shared/data/imdb --active --json speed.json

Rivals (`rivals.py`): `nn.LSTM` in plain torch and in Lightning, and Keras 3 on TensorFlow and on JAX where they are
installed (the extra `keras`). Every rival runs the example's model, 3,000 words, 150 tokens, batches of 256, on the
same texts, in a process of its own. They take turns, a few steps each, over several repeats, so that a machine that
slows down slows them all; the median counts.

In `ratios` a number above 1 says that lit_al is faster, except for `lightning_vs_plain_loop`: what a step costs inside
Lightning over what it costs in a plain loop. It is null where a rival is not installed or was not asked for.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from rivals import BATCH, LIBRARIES, RIVALS

HERE = Path(__file__).parent
TEXTS = 20 * BATCH  # on which every rival works


class Worker:
    """A rival's process."""

    def __init__(self, name: str, folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "rivals.py"), name, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            bufsize=1,
        )

    def ask(self, command: str, *numbers: int) -> Any:
        """Send a command and wait for its answer."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(command, *numbers, file=self.process.stdin)
        answer = self.process.stdout.readline()
        if not answer:
            raise SystemExit(f"error: the rival {self.process.args} ended with code {self.process.wait()}")
        return json.loads(answer)

    def close(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.wait()


def installed() -> list[str]:
    """Names of the rivals whose libraries are here."""
    return [name for name in RIVALS if all(find_spec(library) for library in LIBRARIES.get(name, ()))]


def write_material(data: str, folder: Path) -> None:
    """Some texts of a corpus, their tokens and labels, for all rivals to share."""
    from lit_al import TextEncoder, load_corpus

    corpus = load_corpus(data, demo_rows=TEXTS)
    rows = np.random.default_rng(0).permutation(len(corpus))[:TEXTS]
    texts = [corpus.texts[row] for row in rows]
    np.save(folder / "tokens.npy", TextEncoder.fit(texts).encode(texts))
    np.save(folder / "labels.npy", np.maximum(corpus.labels[rows], 0))
    (folder / "texts.json").write_text(json.dumps(texts), encoding="utf-8")


def take_turns(
    workers: dict[str, Worker], command: str, number: int, *, repeats: int, tick: Callable[[], None]
) -> dict[str, float]:
    """Median of what each rival answers, turn by turn; a first turn, in which things are compiled, does not count."""
    found: dict[str, list[float]] = {name: [] for name in workers}
    for turn in range(repeats + 1):
        for name, worker in workers.items():
            answer = worker.ask(command, number)
            if turn and answer is not None:
                found[name] += answer if isinstance(answer, list) else [answer]
        tick()
    return {name: statistics.median(values) for name, values in found.items() if values}


def overhead(workers: dict[str, Worker], steps: int, repeats: int) -> float:
    """Step in Lightning over step in a plain loop, from turns next to each other: the median of the turns' ratios."""
    inside, plain = workers["lit_al in Lightning"], workers["lit_al"]
    return statistics.median(
        statistics.median(inside.ask("train", steps)) / statistics.median(plain.ask("train", steps))
        for _ in range(repeats)
    )


class Measurement:
    """Everything that the workers do, measured in turns."""

    def __init__(self, names: list[str], folder: Path, quick: bool, console: Console) -> None:
        self.names, self.folder, self.console = names, folder, console
        self.repeats, self.steps = (3, 8) if quick else (9, 20)
        self.encoded = TEXTS if quick else 4 * TEXTS

    def run(self) -> dict[str, dict[str, float]]:
        """Medians by quantity and rival."""
        with ExitStack() as stack, Progress(console=self.console, transient=True) as bar:
            task = bar.add_task("measuring", total=3 * (self.repeats + 1) + 1)
            workers = {name: Worker(name, self.folder) for name in self.names}
            for worker in workers.values():
                stack.callback(worker.close)
            turns = partial(take_turns, workers, repeats=self.repeats, tick=partial(bar.advance, task))
            step, score, encode = turns("train", self.steps), turns("score", TEXTS), turns("encode", self.encoded)
            inside = overhead(workers, 2 * self.steps, 2 * self.repeats + 1)
            return {
                "training_step_ms": {name: 1e3 * value for name, value in step.items()},
                "training_texts_per_second": {name: BATCH / value for name, value in step.items()},
                "scoring_texts_per_second": {name: TEXTS / value for name, value in score.items()},
                "encoding_texts_per_second": {name: self.encoded / value for name, value in encode.items()},
                "peak_memory_mb": {name: worker.ask("memory") for name, worker in workers.items()},
                "lightning_vs_plain_loop": {"lit_al": inside},
            }


def run_active(data: str, folder: Path) -> dict[str, float]:
    """Seconds of the whole example from start to test line: `active` here, in Keras with as many epochs per fit."""
    command = [sys.executable, str(HERE.parent / "scripts" / "train.py"), "--mode", "active", "--data", data]
    began = time.perf_counter()
    subprocess.run([*command, "--log-dir", str(folder), "--name", "active"], check=True, stdout=subprocess.DEVNULL)
    found = {"lit_al": time.perf_counter() - began}
    epochs = Counter(epoch["fit"] for epoch in json.loads((folder / "active/results.json").read_text())["epochs"])
    for name, (*_, backend) in LIBRARIES.items():
        if name in installed():
            command = [sys.executable, str(HERE / "keras_active.py"), "--data", data, "--backend", backend]
            began = time.perf_counter()
            subprocess.run([*command, "--epochs", *map(str, epochs.values())], check=True, stdout=subprocess.DEVNULL)
            found[name] = time.perf_counter() - began
    return found


def ratios(found: dict[str, dict[str, float]]) -> dict[str, float | None]:
    """How many times faster lit_al is; null where the rival is not here."""
    step, score = found["training_step_ms"], found["scoring_texts_per_second"]
    encode, active = found["encoding_texts_per_second"], found.get("active_seconds", {})
    keras = [name for name in LIBRARIES if name in step]
    return {
        "train_step_vs_nn_lstm": step["nn.LSTM"] / step["lit_al"],
        "train_step_vs_keras": min(step[name] for name in keras) / step["lit_al"] if keras else None,
        "lightning_vs_plain_loop": found["lightning_vs_plain_loop"]["lit_al"],
        "train_step_in_lightning_vs_nn_lstm_in_lightning": step["nn.LSTM in Lightning"] / step["lit_al in Lightning"],
        "scoring_vs_nn_lstm": score["lit_al"] / score["nn.LSTM"],
        "scoring_vs_keras": score["lit_al"] / max(score[name] for name in keras) if keras else None,
        "encoding_vs_keras": encode["lit_al"] / encode["Keras, TensorFlow"] if "Keras, TensorFlow" in encode else None,
        "committee_of_5_vs_five_alone": 5 * step["lit_al"] / step["lit_al, committee of 5"],
        "active_vs_keras": min(active[name] for name in keras) / active["lit_al"] if active and keras else None,
    }


def report(found: dict[str, dict[str, float]], path: Path | None, console: Console) -> None:
    """Print a table of rivals and one of ratios, and write both."""
    gains = ratios(found)
    if path:
        path.write_text(json.dumps({**found, "ratios": gains}, indent=2) + "\n", encoding="utf-8")
    columns = {name: values for name, values in found.items() if name != "lightning_vs_plain_loop"}
    table = Table(title=f"{BATCH} texts a step, medians")
    for heading in ("", *columns):
        table.add_column(heading.replace("_", " "), justify="left" if not heading else "right")
    for name in RIVALS:
        cells = [f"{values[name]:,.1f}" if name in values else "" for values in columns.values()]
        if any(cells):
            table.add_row(name, *cells)
    console.print(table)
    for name, value in gains.items():
        console.print(f"{name:48s} {'not measured' if value is None else f'{value:.2f}'}", highlight=False)


def main() -> None:
    """Measure, print tables, write JSON."""
    parser = argparse.ArgumentParser(description="Speed of the example's model beside its rivals, on the CPU.")
    parser.add_argument("--quick", action="store_true", help="Fewer repeats and texts: a few minutes.")
    parser.add_argument(
        "--active", action="store_true", help="Also the whole example, here and in Keras: half an hour."
    )
    parser.add_argument("--data", default="demo", help="As of scripts/train.py.")
    parser.add_argument("--json", type=Path, metavar="FILE", help="Write the figures there.")
    options = parser.parse_args()
    console = Console()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write_material(options.data, folder)
        found = Measurement(installed(), folder, options.quick, console).run()
        report(found, options.json, console)
        if options.active:
            found["active_seconds"] = run_active(options.data, folder)
            report(found, options.json, console)


if __name__ == "__main__":
    main()
