"""`lit-al predict` on a large file: texts a second, memory that does not grow with the file, and the start.

    python benchmarks/predict.py --rows 10000,100000
    python benchmarks/predict.py --model lightning_logs/tickets-model --data new.csv --text-column message

Without `--model` one is fitted to 400 reviews of the demo corpus, and reviews of that corpus are classified. Each row
is a process of its own, CSV in and CSV out. Beside it stands, in the same run, what a script would do instead: tf-idf
and logistic regression of scikit-learn on the same file, fitted and asked in one process.
"""

import argparse
import csv
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from lit_al.data import load_corpus

LABELED: Final = 400
RIVAL: Final = """
import csv, sys
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
labeled, given, to = sys.argv[1:]
rows = list(csv.DictReader(open(labeled, encoding="utf-8")))
known = [row for row in rows if row["label"]]
model = make_pipeline(TfidfVectorizer(sublinear_tf=True), LogisticRegression(C=10, max_iter=1_000))
model.fit([row["text"] for row in known], [row["label"] for row in known])
rows = list(csv.DictReader(open(given, encoding="utf-8")))
answers = model.predict([row["text"] for row in rows]) if rows else []
with open(to, "w", encoding="utf-8", newline="") as file:
    table = csv.writer(file)
    table.writerows([row["id"], row["text"], answer] for row, answer in zip(rows, answers))
"""


class Cost(NamedTuple):
    """Of one process: seconds by the clock, CPU seconds, and the most memory in MB."""

    wall: float
    cpu: float
    peak: float


def cost(command: Sequence[object]) -> Cost:
    """Run a command to its end.

    Raises:
        SystemExit: it failed.
    """
    began = time.perf_counter()
    process = subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    if status:
        sys.exit(f"{' '.join(map(str, command[:4]))} … failed")
    return Cost(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1_024)


def write(path: Path, texts: Sequence[str], labels: Sequence[str], name: str = "label") -> Path:
    """A CSV file with ids."""
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["id", "text", name])
        table.writerows([number, text, label] for number, (text, label) in enumerate(zip(texts, labels, strict=True)))
    return path


def main() -> None:
    """Classify, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", default="10000,100000", help="Sizes of the files.")
    parser.add_argument("--model", help="A run, instead of one fitted here; the rival is left out.")
    parser.add_argument("--data", default="demo", help="Texts, repeated to as many as are asked for.")
    parser.add_argument("--text-column", default=None, help="Of a file.")
    asked = parser.parse_args()
    column = {"text_column": asked.text_column} if asked.text_column else {}
    corpus = load_corpus(asked.data, demo_rows=20_000, **column)
    lit_al = [sys.executable, "-c", "import sys; from lit_al.cli.main import main; sys.exit(main())"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        labeled = folder / "labeled.csv"
        model = asked.model or folder / "model"
        if asked.model is None:
            texts = corpus.texts[: 5 * LABELED]
            names = [corpus.classes[label] for label in corpus.labels[:LABELED]]
            write(labeled, texts, [*names, *[""] * (len(texts) - LABELED)])
            cost([*lit_al, "fit", labeled, "--to", model, "--folds", "0"])
        length = sum(map(len, corpus.texts)) // len(corpus)
        print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; {length:,} characters a text")
        heads = ("rows", "lit-al predict: seconds", "texts/s", "CPU s", "peak MB", "tf-idf + LR: CPU s", "peak MB")
        print(f"| {' | '.join(heads)} | CPU, ratio |")
        print("|---|---|---|---|---|---|---|---|")
        for rows in (1, *map(int, asked.rows.split(","))):
            texts = [corpus.texts[row % len(corpus)] for row in range(rows)]
            given = write(folder / "given.csv", texts, [""] * rows, "note")
            ours = cost([*lit_al, "predict", model, "--data", given, "--to", folder / f"ours-{rows}.csv"])
            with (folder / f"ours-{rows}.csv").open(encoding="utf-8-sig", newline="") as file:
                assert sum(1 for _ in csv.DictReader(file)) == rows
            said = f"| {rows:,} | {ours.wall:.1f} | {rows / ours.wall:,.0f} | {ours.cpu:.1f} | {ours.peak:,.0f} |"
            if asked.model is None:
                theirs = cost([sys.executable, "-c", RIVAL, labeled, given, folder / "theirs.csv"])
                said += f" {theirs.cpu:.1f} | {theirs.peak:,.0f} | {ours.cpu / theirs.cpu:.2f} |"
            print(said, flush=True)


if __name__ == "__main__":
    main()
