"""Labels that may be wrong: the published rule, the ranking, the command."""

import csv

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from lit_al.cli import main
from lit_al.data import Corpus
from lit_al.experiment import confident
from lit_al.experiment.labels_there import LabelsThere
from lit_al.experiment.suspects import Suspects, ranked
from lit_al.loop.state import Validated
from lit_al.record import RECORD_FILE, Action, Item, NewEvent, Record, sha256_of
from lit_al.record.suspected import kept

CLASSES = ("negative", "neutral", "positive")


@st.composite
def judged(draw, classes=3):
    """Probabilities (n, C), each another, and labels (n,)."""
    n = draw(st.integers(1, 30))
    weights = draw(hnp.arrays(np.float64, (n, classes), elements=st.floats(0.01, 1), unique=True))
    labels = draw(hnp.arrays(np.int64, n, elements=st.integers(0, classes - 1)))
    return weights / weights.sum(axis=1, keepdims=True), labels


@given(judged())
def test_the_joint_is_counted_text_by_text_as_the_paper_says(case):
    said, labels = case
    joint = np.zeros((3, 3), int)
    for row, label in zip(said, labels, strict=True):
        means = {j: said[labels == j, j].mean() for j in range(3) if (labels == j).any()}
        reached = [j for j, mean in means.items() if row[j] >= mean - 1e-12]
        if reached:
            joint[label, max(reached, key=lambda j: row[j])] += 1
    assert confident.confident_joint(said, labels).tolist() == joint.tolist()
    named = confident.suspects(said, labels)
    assert named.sum() == joint.sum() - np.trace(joint)


@given(judged(), st.randoms(use_true_random=False))
def test_the_order_of_texts_and_of_classes_does_not_matter(case, chance):
    said, labels = case
    turned, renamed = np.array(chance.sample(range(len(labels)), len(labels))), np.array(chance.sample(range(3), 3))
    other = np.empty_like(said[turned])
    other[:, renamed] = said[turned]
    for score in (confident.log_odds, confident.suspects):
        assert np.allclose(score(other, renamed[labels[turned]]), score(said, labels)[turned])


def test_a_label_that_is_surely_another_comes_first():
    said = np.array([[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.2, 0.8], [0.95, 0.05]])
    labels = np.array([0, 0, 1, 1, 1])
    assert ranked(said, labels)[0] == 4
    assert np.flatnonzero(confident.suspects(said, labels)).tolist() == [4]


def test_settled_labels_are_not_suspected_and_folds_may_come_in_any_order():
    corpus = Corpus(["a", "b", "c", "d"], np.array([0, 1, 0, 1]), ("bad", "good"))
    said = np.array([[0.1, 0.9], [0.3, 0.7], [0.9, 0.1], [0.8, 0.2]])
    order = np.array([2, 0, 3, 1])
    validated = Validated(order, corpus.labels[order], said[order])
    found = Suspects.of(LabelsThere(corpus), validated)
    assert [one.row for one in found.ranked] == [0, 3, 1, 2]
    first = found.ranked[0]
    assert (first.label, first.suggestion, first.probability, first.own) == ("bad", "good", 0.9, 0.1)
    found = Suspects.of(LabelsThere(corpus, settled=np.array([0])), validated)
    assert [one.row for one in found.ranked] == [3, 1, 2]


@pytest.fixture(scope="module")
def run(make_corpus, tmp_path_factory):
    """A run of 60 labels, of which those of texts 7 and 20 are wrong."""
    corpus, folder = make_corpus(90, CLASSES), tmp_path_factory.mktemp("runs") / "run"
    folder.mkdir()
    settings = {"seed": 3, "recipe": "scratch", "max_length": 12}
    with Record.create(folder / RECORD_FILE, corpus.classes, settings=settings) as record:
        record.add_items(Item(row, sha256_of(text), text) for row, text in enumerate(corpus.texts))
        for row in range(60):
            label = corpus.classes[(corpus.labels[row] + (row in (7, 20))) % 3]
            record.append(NewEvent(f"e-{row}", row, "ann", Action.LABEL, label))
    return folder, corpus


def test_planted_errors_are_found_corrected_in_a_spreadsheet_and_taken_back(run, tmp_path, capsys):
    folder, corpus = run
    path = tmp_path / "suspects.csv"
    words = ["suspects", str(folder), "--to", str(path), "--accelerator", "cpu", "--folds", "3", "--top", "20"]
    assert main.main(words) == 0
    assert f"20 labels, the most suspect first, in {path}; to correct them: mend" in capsys.readouterr().out
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {"7", "20"} <= {row["lit_al_id"] for row in rows}
    with Record.open(folder) as record:  # the page shows the same list
        assert [str(one.item) for one in kept(record).found[:20]] == [row["lit_al_id"] for row in rows]
        assert kept(record).labels == 60
    mended = [{**row, "label": corpus.classes[corpus.labels[int(row["lit_al_id"])]]} for row in rows]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(mended)
    assert main.main(["import", str(folder), str(path), "--settles", "--annotator", "lead"]) == 0
    assert "2 labels settled" in capsys.readouterr().out
    with Record.open(folder) as record:
        assert record.labels() == {row: corpus.classes[corpus.labels[row]] for row in range(60)}
    assert main.main(words) == 2
    assert "is there already; give another name, or --overwrite" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--folds", "0"], "--folds 0 leaves nobody to ask"),
        (["--folds", "1"], "--folds 1 would leave a model without labels"),
        (["--to", "suspects.txt"], "says no format"),
        (["--raw"], "--raw is for --to FILE.csv"),
        (["--top", "0"], "--top 0 must be 1 or more"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_learned(run, words, why, capsys):
    assert main.main(["suspects", str(run[0]), *words]) == 2
    assert why in capsys.readouterr().err
