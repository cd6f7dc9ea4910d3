import numpy as np
import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from lit_al.data import Corpus
from lit_al.data.split import Split, apportion, stratified_split
from lit_al.exceptions import ConfigError, DataError, StrategyError

CLASSES = ("negative", "positive")


def split_of(labels, classes=CLASSES, *, seed=0, **options):
    corpus = Corpus([f"text {row}" for row in range(len(labels))], np.asarray(labels), classes)
    return stratified_split(corpus, seed=seed, **options)


def everything(split):
    return np.concatenate([split.validation, split.test, split.labeled, split.pool])


def test_imdb_sizes():
    labels = np.repeat([0, 1, 0, 1], 12_500)
    split = split_of(labels)
    sizes = [len(rows) for rows in (split.validation, split.test, split.labeled, split.pool)]
    assert sizes == [5_000, 5_000, 15_000, 25_000]
    for rows in (split.validation, split.test, split.labeled, split.pool):
        assert 2 * labels[rows].sum() == len(rows)
    assert sorted(everything(split)) == list(range(50_000))


def test_split_depends_on_its_seed_alone():
    labels = np.arange(100) % 2
    first, again, other = (split_of(labels, seed=seed) for seed in (3, 3, 4))
    assert (everything(first) == everything(again)).all()
    assert (everything(first) != everything(other)).any()


def test_pool_order_says_nothing_of_the_class():
    split = split_of(np.arange(4_000) % 2)
    head = split.pool[:1_000] % 2
    assert 0.4 < head.mean() < 0.6


def test_rows_without_label_go_to_the_pool():
    labels = np.arange(100) % 2
    labels[::4] = -1
    split = split_of(labels)
    assert set(np.flatnonzero(labels == -1)) <= set(split.pool)


def test_rows_not_kept_are_nowhere():
    keep = np.ones(100, bool)
    keep[:20] = False
    split = split_of(np.arange(100) % 2, keep=keep)
    assert sorted(everything(split)) == list(range(20, 100))


def test_sizes_are_met_exactly_with_unequal_classes():
    labels = np.repeat([0, 1, 2], [70, 50, 30])
    split = split_of(labels, ("a", "b", "c"), validation=11, test=13, initial=17)
    assert [len(split.validation), len(split.test), len(split.labeled)] == [11, 13, 17]
    assert len(np.unique(everything(split))) == 150


@given(st.integers(0, 1_000), st.lists(st.integers(1, 100), min_size=1, max_size=6))
def test_apportion_adds_up_and_stays_within_one(total, weights):
    parts = apportion(total, weights)
    assert sum(parts) == total
    exact = total * np.array(weights) / sum(weights)
    assert (np.abs(np.array(parts) - exact) < 1).all()


def test_too_few_rows_are_refused():
    with pytest.raises(DataError, match=r"5,000 validation .* the corpus has 100"):
        split_of(np.arange(100) % 2, validation=5_000)
    with pytest.raises(DataError, match=r"the corpus has 4 labeled rows, too few for a validation, a test"):
        split_of(np.repeat([0, 1, -1], [2, 2, 90]))
    with pytest.raises(ConfigError, match="--val-size 0"):
        split_of(np.arange(100) % 2, validation=0)


def test_rare_classes_are_named_in_one_sentence_and_split_all_the_same():
    labels = np.repeat([0, 1, 2], [96, 3, 1])
    split = split_of(labels, ("many", "few", "one"))
    assert sorted(everything(split)) == list(range(100))
    [note] = split.notes
    assert note.startswith("classes too rare to be in every set: 'few' (3 labeled rows, none in ")
    assert "'one' (1 labeled row, none in validation and test and initial)" in note
    assert split_of(np.arange(100) % 2).notes == ()


def test_a_sentence_names_some_of_very_many_rare_classes():
    [note] = split_of(np.arange(100), tuple(f"class {index}" for index in range(100))).notes
    assert note.endswith(" and 88 more")


@given(
    st.lists(st.integers(0, 12), min_size=2, max_size=30).filter(lambda counts: sum(counts) >= 6),
    st.lists(st.integers(1, 100), min_size=3, max_size=3),
)
def test_parts_have_their_sizes_whatever_the_classes_and_no_row_twice(counts, weights):
    total, classes = sum(counts), tuple(f"class {index}" for index in range(len(counts)))
    validation, test, initial = (1 + part for part in apportion(total - 3 - total // 4, weights))
    labels = np.repeat(np.arange(len(counts)), counts)
    split = split_of(labels, classes, validation=validation, test=test, initial=initial)
    assert [len(split.validation), len(split.test), len(split.labeled)] == [validation, test, initial]
    assert sorted(everything(split)) == list(range(total))
    parts = (split.validation, split.test, split.labeled)
    absent = {name for index, name in enumerate(classes) if any(index not in labels[rows] for rows in parts)}
    assert bool(split.notes) == bool(absent)
    assert all(f"'{name}' (" in split.notes[0] for name in sorted(absent)) or len(absent) > 12


def test_a_class_with_one_row_is_in_one_part_alone_and_that_is_the_initial_one():
    labels = np.arange(8)  # each class asks for its only row in the same parts
    split = split_of(labels, tuple("abcdefgh"), validation=1, test=1, initial=6)
    assert len(split.pool) == 0
    assert 0 in split.labeled


def test_label_moves_rows_once():
    split = Split(np.array([0]), np.array([1]), np.array([5, 4, 3]), [np.array([2])])
    split.label(np.array([3, 5]))
    assert split.pool.tolist() == [4]
    assert split.labeled.tolist() == [2, 3, 5]
    assert [rows.tolist() for rows in split.rounds] == [[2], [3, 5]]


@pytest.mark.parametrize(("rows", "words"), [([3, 3], "twice"), ([3, 0], "row 0 .* not in the pool"), ([9], "row 9")])
def test_label_refuses_and_moves_nothing(rows, words):
    split = Split(np.array([0]), np.array([1]), np.array([5, 4, 3]), [np.array([2])])
    with pytest.raises(StrategyError, match=words):
        split.label(np.array(rows))
    assert split.pool.tolist() == [5, 4, 3]
    assert split.labeled.tolist() == [2]


@st.composite
def corpora_with_copies(draw):
    """Texts of which some stand there several times, under one label, several or none."""
    groups = draw(st.lists(st.integers(1, 5), min_size=12, max_size=40))
    texts = [f"{number} {'x' * number}" for number, size in enumerate(groups) for _ in range(size)]
    labels = draw(st.lists(st.integers(-1, 2), min_size=len(texts), max_size=len(texts)))
    return Corpus(texts, np.array([*labels[:-3], 0, 1, 2]), ("a", "b", "c"))


@given(corpora_with_copies(), st.integers(0, 3))
def test_no_group_of_copies_is_over_two_parts(corpus, seed):
    try:
        split = stratified_split(corpus, seed=seed, validation=3, test=3, initial=3)
    except DataError as error:
        event(str(error)[:30])  # too few labels, or nothing but copies: refused in a sentence
        return
    parts = (split.validation, split.test, split.labeled, split.pool)
    rows = np.concatenate(parts)
    assert len(set(rows.tolist())) == len(rows)
    groups = [set(corpus.grouped.numbers[part].tolist()) for part in parts]
    assert sum(map(len, groups)) == len(set().union(*groups))
    assert (corpus.labels[np.concatenate(parts[:3])] >= 0).all()
    assert all(len(part) <= 3 for part in parts[:3])
    short = [name for name, part in zip(("validation", "test", "initial"), parts, strict=False) if len(part) < 3]
    assert all(f"{name} has " in " ".join(split.notes) for name in short)


@given(corpora_with_copies(), st.randoms(use_true_random=False))
def test_the_same_texts_are_in_the_same_parts_in_whatever_order(corpus, rng):
    labels = corpus.grouped.numbers % 3  # copies alike, so that rows of one text cannot be told apart
    order = np.array(rng.sample(range(len(corpus)), len(corpus)))
    splits = []
    for rows in (np.arange(len(corpus)), order):
        one = Corpus([corpus.texts[row] for row in rows], labels[rows], corpus.classes)
        try:
            split = stratified_split(one, seed=0, validation=3, test=3, initial=3)
        except DataError:
            splits.append(None)
            continue
        parts = (split.validation, split.test, split.labeled, split.pool, one.one_of_each(split.pool))
        splits.append([[one.texts[row] for row in part] for part in parts])
    assert splits[0] == splits[1]


def test_the_corpus_of_the_example_is_split_as_the_example_does():
    texts, labels = [f"text {row // 2}" for row in range(100)], np.arange(100) % 2
    own, example = (
        Corpus(texts, labels, CLASSES, source, demo) for source, demo in (("a file", False), ("demo", True))
    )
    for corpus, apart in ((own, 0), (example, 4)):
        split = stratified_split(corpus, seed=0)
        parts = [set(corpus.grouped.numbers[rows].tolist()) for rows in (split.test, split.pool)]
        assert len(parts[0] & parts[1]) == apart
