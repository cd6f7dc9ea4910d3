"""How long people wait for a model that learns beside them, and whether they notice it learning.

    python benchmarks/trainer.py --data demo --rows 2000
    python benchmarks/trainer.py --data ../shared/data/imdb

A trainer is started beside a fresh record of the texts. An annotator who is always right gives twenty answers, waits
for the ranking that follows, gives ten more, waits again. Meanwhile another one asks for a text and writes a note ten
times a second, and is timed.
"""

import argparse
import os
import statistics
import tempfile
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path

from lit_al.annotate.supervisor import Supervisor, computing_of
from lit_al.data import Corpus, load_corpus
from lit_al.record import Action, Item, NewEvent, Record, sha256_of

FIRST, MORE = 20, 10


def main() -> None:
    """Measure and print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", default="demo", help="As of train.py.")
    parser.add_argument("--rows", type=int, default=2_000, help="Of the demo corpus.")
    parser.add_argument("--warm", action="store_true", help="Use the cache of earlier runs.")
    options = parser.parse_args()
    corpus = load_corpus(options.data, demo_rows=options.rows)
    with tempfile.TemporaryDirectory() as folder:
        if not options.warm:
            os.environ["LIT_AL_CACHE"] = f"{folder}/cache"
        measure(Path(folder), corpus)


def measure(folder: Path, corpus: Corpus) -> None:
    """One session."""
    record = Record.create(folder / "record.sqlite", corpus.classes, settings={"seed": 0, "retrain_every": MORE})
    record.add_items(Item(row, sha256_of(text), text) for row, text in enumerate(corpus.texts))
    supervisor, rows = Supervisor(folder), list[tuple[str, str]]()
    clock = Clock(supervisor)
    supervisor.start()
    try:
        wait(supervisor, lambda: record.newest_generation() is not None)
        rows.append(("from its start to the ranking of the cold start", clock.lap()))
        wait(supervisor, lambda: "needs labels" in (record.state("trainer") or {}).get("detail", ""))
        rows.append(("then to all that the texts teach without labels", clock.lap()))
        with Noting(record) as noting:
            for version, answers in enumerate((FIRST, MORE, MORE), 1):
                answer(record, corpus, answers)
                clock.lap()
                wait(supervisor, lambda version=version: version_of(record) == version)
                rows.append((f"from answer {len(record.labels())} to ranking {version}", clock.lap()))
        milliseconds = sorted(1_000 * second for second in noting.seconds)
        p99 = milliseconds[int(0.99 * len(milliseconds))]
        rows.append(("a text and a committed event meanwhile, median and 99 % within, ms",
                     f"{statistics.median(milliseconds):.1f}, {p99:.1f}"))  # fmt: skip
        rows.append(("peak memory of the trainer, MB", f"{peak_of(supervisor.pid):,.0f}"))
    finally:
        supervisor.stop()
        record.close()
    print(f"| {len(corpus):,} texts | {corpus.source} |\n|---|---|")
    for name, value in rows:
        print(f"| {name} | {value} |")


class Clock:
    """Seconds on the wall, and of computing by the trainer: on an idle machine the two are much the same."""

    def __init__(self, supervisor: Supervisor) -> None:
        self.supervisor, self.wall, self.computed = supervisor, time.perf_counter(), 0.0

    def lap(self) -> str:
        """Since the last lap."""
        wall, computed = time.perf_counter(), computing_of(self.supervisor.pid or 0)
        words = f"{wall - self.wall:.1f} s, {computed - self.computed:.1f} s of computing"
        self.wall, self.computed = wall, computed
        return words


def wait(supervisor: Supervisor, found: Callable[[], bool]) -> None:
    """Until something is found, looking after the trainer."""
    while not found():
        supervisor.check()
        time.sleep(0.1)


def version_of(record: Record) -> int | None:
    """Of the model behind the ranking in force."""
    newest = record.newest_generation()
    return newest.model_version if newest else None


def answer(record: Record, corpus: Corpus, n: int) -> None:
    """The next n texts, truly."""
    record.add_annotator("ann")
    queued, _ = record.next_items("ann", n)
    for one in queued:
        label = corpus.classes[corpus.labels[one.item.id]]
        record.append(NewEvent(str(uuid.uuid4()), one.item.id, "ann", Action.LABEL, label=label))


class Noting:
    """An annotator who asks for a text and writes a note on it ten times a second, and is timed."""

    def __init__(self, record: Record) -> None:
        self.record, self.seconds, self.ended = record, list[float](), threading.Event()
        self.thread = threading.Thread(target=self.run)

    def __enter__(self) -> "Noting":
        self.record.add_annotator("bob")
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self.thread.join()

    def run(self) -> None:
        """Notes are no answers: nothing is learned from them."""
        while not self.ended.wait(0.1):
            began = time.perf_counter()
            [queued], _ = self.record.next_items("bob", 1)
            self.record.append(NewEvent(str(uuid.uuid4()), queued.item.id, "bob", Action.NOTE, note="timed"))
            self.record.release("bob")
            self.seconds.append(time.perf_counter() - began)


def peak_of(pid: int | None) -> float:
    """MB; Linux alone knows it of another process."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) / 1_024 for line in lines if line.startswith("VmHWM"))


if __name__ == "__main__":
    main()
