"""Cohen's kappa and Krippendorff's alpha of what annotators say now."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from lit_al.annotate.agreement import Agreement, nominal_alpha
from lit_al.record import Answer


def answers(annotator, labels):
    """One answer for each text; None is a skip, an empty label no answer."""
    return [Answer(item, annotator, label, 0, f"{annotator}{item}", False, None, None)
            for item, label in enumerate(labels) if label != ""]  # fmt: skip


def test_kappa_of_a_known_table():
    # 20 texts yes by both, 5 and 10 by one alone, 15 no by both: Cohen's kappa is 0.4.
    first = ["yes"] * 25 + ["no"] * 25
    second = ["yes"] * 20 + ["no"] * 5 + ["yes"] * 10 + ["no"] * 15
    found = Agreement.of(answers("ann", first) + answers("bob", second), ["no", "yes"])
    [pair] = found.pairs
    assert (pair.texts, pair.same) == (50, 35)
    assert pair.kappa == pytest.approx(0.4)
    assert found.sentence() == "Agreement on 50 texts: 70% of pairs, Krippendorff's alpha 0.40."


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc")), min_size=1, max_size=40))
def test_kappa_is_that_of_scikit_learn(pairs):
    first, second = zip(*pairs, strict=True)
    [pair] = Agreement.of(answers("ann", first) + answers("bob", second), ["a", "b", "c"]).pairs
    if len({*first, *second}) == 1:
        assert pair.kappa is None
    else:
        assert pair.kappa == pytest.approx(cohen_kappa_score(first, second), abs=1e-12)


def test_counting_loads_nothing_heavy():
    code = (
        "import sys; from lit_al.annotate.agreement import Agreement; from lit_al.record import Answer\n"
        "given = [Answer(n, who, 'ab'[n % 2], 0, f'{who}{n}', False, None, None) for n in range(9) for who in 'xy']\n"
        "assert Agreement.of(given, ['a', 'b']).pairs[0].kappa == 1\n"
        "print({'torch', 'sklearn', 'scipy'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_alpha_of_krippendorffs_own_example_with_gaps():
    # Krippendorff, Computing Krippendorff's Alpha-Reliability (2011), example C: 4 observers, 12 units, alpha 0.743.
    rows = {"A": "1 2 3 3 2 1 4 1 2 _ _ _", "B": "1 2 3 3 2 2 4 1 2 5 _ 3", "C": "_ 3 3 3 2 3 4 2 2 5 1 _",
            "D": "1 2 3 3 2 4 4 1 2 5 1 _"}  # fmt: skip
    given = [one for name, row in rows.items() for one in answers(name, row.replace("_", "").split(" "))]
    found = Agreement.of(given, ["1", "2", "3", "4", "5"])
    assert found.alpha == pytest.approx(0.743, abs=0.0005)
    assert found.texts == 11
    assert len(found.pairs) == 6


# Krippendorff, Computing Krippendorff's Alpha-Reliability (2011), examples A and B: two observers.
A = ["0 1 0 0 0 0 0 0 1 0", "1 1 1 0 0 1 0 0 0 0"]
B = ["a a b b d c c c e d d a", "b a b b b c c c e d d d"]


@pytest.mark.parametrize(("rows", "alpha"), [(A, 0.095), (B, 0.692)])
def test_alpha_of_krippendorffs_examples_of_two_observers(rows, alpha):
    first, second = (row.split() for row in rows)
    found = Agreement.of(answers("ann", first) + answers("bob", second), sorted({*first, *second}))
    assert found.alpha == pytest.approx(alpha, abs=0.0005)


TABLES = st.integers(2, 5).flatmap(  # labels by annotator and text; -1 is none
    lambda texts: st.lists(st.lists(st.integers(-1, 3), min_size=texts, max_size=texts), min_size=2, max_size=4)
)


def counted(table):
    """(N, C) of a table by annotator and text."""
    return np.stack([(table == label).sum(axis=0) for label in range(4)], axis=1)


@given(TABLES, st.randoms(use_true_random=False))
def test_alpha_knows_no_order_of_annotators_texts_or_labels(rows, random):
    table, names = np.array(rows), random.sample(range(4), 4)
    renamed = np.where(table < 0, -1, np.array(names)[table])
    people, texts = random.sample(range(len(table)), len(table)), random.sample(range(table.shape[1]), table.shape[1])
    assert nominal_alpha(counted(renamed[people][:, texts])) == pytest.approx(nominal_alpha(counted(table)))


@given(TABLES)
def test_alpha_is_one_minus_the_ratio_of_differing_pairs(rows):
    by_text = [[label for label in text if label >= 0] for text in zip(*rows, strict=True)]
    by_text = [labels for labels in by_text if len(labels) > 1]
    everything = [label for labels in by_text for label in labels]
    if len(set(everything)) < 2:
        assert nominal_alpha(counted(np.array(rows))) is None
        return
    observed = sum(
        (one != other) / (len(labels) - 1) for labels in by_text for one in labels for other in labels
    ) / len(everything)  # fmt: skip
    pairs = len(everything) * (len(everything) - 1)
    expected = sum(one != other for one in everything for other in everything) / pairs
    assert nominal_alpha(counted(np.array(rows))) == pytest.approx(1 - observed / expected)


@given(
    st.lists(st.integers(0, 3), min_size=2, max_size=9).filter(lambda labels: len(set(labels)) > 1), st.integers(2, 5)
)
def test_alpha_of_those_who_always_agree_is_one(labels, annotators):
    assert nominal_alpha(counted(np.array([labels] * annotators))) == 1


def test_skips_count_for_nothing():
    found = Agreement.of(answers("ann", ["a", None, "b"]) + answers("bob", ["a", "b", None]), ["a", "b"])
    assert found.texts == 1


@pytest.mark.parametrize("second", [["", "", "a"], ["a", "a", ""]])
def test_not_defined_without_common_texts_or_with_one_label(second):
    found = Agreement.of(answers("ann", ["a", "a", ""]) + answers("bob", second), ["a", "b"])
    assert found.alpha is None
    assert found.pairs[0].kappa is None


def test_one_annotator_agrees_with_nobody():
    found = Agreement.of(answers("ann", ["a", "b"]), ["a", "b"])
    assert (found.texts, found.alpha, found.pairs) == (0, None, ())
    assert found.lines() == ["Agreement: no text has labels of two annotators yet."]


def test_command_prints_each_pair(tmp_path, helpers, capsys):
    from lit_al.cli.main import main
    from lit_al.record import Action, NewEvent

    with helpers.fill(tmp_path / "run") as record:
        for annotator, labels in {"ann": "pppn", "bob": "ppnn", "cat": "p"}.items():
            for item, letter in enumerate(labels):
                label = {"p": "positive", "n": "negative"}[letter]
                record.append(NewEvent(f"{annotator}-{item}-uuid", item, annotator, Action.LABEL, label))
    assert main(["agreement", str(tmp_path / "run")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == "  ann and bob: 3 of 4 texts alike, Cohen's kappa 0.50"
    assert lines[2] == "  ann and cat: 1 of 1 text alike, Cohen's kappa not defined"


def test_command_without_a_run_says_so(tmp_path, capsys):
    from lit_al.cli.main import main

    assert main(["agreement", str(tmp_path)]) == 2
    assert "there is no record" in capsys.readouterr().err
