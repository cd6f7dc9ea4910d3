"""What the tests of labeling share: a run folder with a record of tiny texts, and answers to them."""

import os
import subprocess
import sys
import uuid
from contextlib import contextmanager

import pytest

from lit_al.record import Action, Item, NewEvent, Record, sha256_of

QUICK = {
    "seed": 0,
    "study_steps": 3,
    "vocabulary_size": 200,
    "max_length": 12,
    "retrain_every": 5,
    "accelerator": "cpu",
}


# The trainer's process at the priority of everyone else: tests share their machine with others.
TRAINER = (
    sys.executable,
    "-c",
    "import os, sys; os.nice = lambda _: 0; from lit_al.annotate.trainer import main; sys.exit(main(sys.argv[1:]))",
)


class Run:
    """A run folder whose texts are those of a corpus; text `i` has the id `10 + 2 i`."""

    def __init__(self, folder, corpus, **settings):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.corpus = folder, corpus
        self.record = Record.create(folder / "record.sqlite", corpus.classes, settings={**QUICK, **settings})
        self.ids = [10 + 2 * place for place in range(len(corpus))]
        self.record.add_items(
            Item(number, sha256_of(text), text) for number, text in zip(self.ids, corpus.texts, strict=True)
        )

    def truth(self, item):
        return self.corpus.classes[self.corpus.labels[self.ids.index(item)]]

    def say(self, item, label, annotator="ann", **facts):
        """A label, or a skip where it is None."""
        action = Action.LABEL if label else Action.SKIP
        return self.record.append(NewEvent(str(uuid.uuid4()), item, annotator, action, label=label, **facts))

    def undo(self, event):
        self.record.append(NewEvent(str(uuid.uuid4()), event.item, event.annotator, Action.UNDO, undoes=event.uuid))

    def answer(self, n, annotator="ann"):
        """The next n texts, truly labeled, as the page would."""
        self.record.add_annotator(annotator)
        for _ in range(n):
            [queued], _ = self.record.next_items(annotator, 1)
            self.say(
                queued.item.id,
                self.truth(queued.item.id),
                annotator,
                generation=queued.generation,
                model_version=queued.model_version,
                predicted=queued.predicted,
                control=queued.control,
            )

    @property
    def state(self):
        return self.record.state("trainer")


@pytest.fixture
def make_run(tmp_path, make_corpus):
    made = []

    def make(name="run", rows=60, classes=("negative", "positive"), **settings):
        made.append(Run(tmp_path / name, make_corpus(rows, classes), **settings))
        return made[-1]

    yield make
    for run in made:
        run.record.close()


@pytest.fixture(scope="session")
def trainer_command():
    return TRAINER


@pytest.fixture(scope="session")
def spawn():
    """A trainer's process beside a folder, killed at the end of the block if it is still there."""

    @contextmanager
    def spawned(folder, **environment):
        process = subprocess.Popen(
            [*TRAINER, str(folder), "--parent", str(os.getpid())],
            env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            yield process
        finally:
            process.kill()
            process.communicate()

    return spawned
