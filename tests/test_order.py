"""Nothing that chooses depends on an order that labels have shaped, nor on labels that nobody has paid for."""

import json
from dataclasses import replace

import numpy as np
import pytest

from lit_al.benchmark.bench import Bench
from lit_al.benchmark.bench_config import BenchConfig
from lit_al.benchmark.methods import Method
from lit_al.data import Corpus
from lit_al.data.split import stratified_split
from lit_al.experiment.config import TrainConfig
from lit_al.experiment.example import ExampleLoop
from lit_al.experiment.experiment_data import prepare
from lit_al.experiment.learning import Learner
from lit_al.strategies import STRATEGIES
from lit_al.text.encoder import TextEncoder

WRAPPED = (
    "entropy+power", "margin+balanced", "entropy+subsample:40", "entropy+diverse", "ratio+balanced",
    "ratio+random:0.2", "entropy+balanced+subsample:40+diverse+random:0.2",
)  # fmt: skip
SPELLINGS = (*STRATEGIES, *WRAPPED)
BUDGETS = (20, 30, 45)


def orders(labels):
    """Orders in which a file may hold the same rows."""
    shuffled = np.random.default_rng(5).permutation(len(labels))
    backwards = np.arange(len(labels))[::-1]
    return {"sorted by label": np.argsort(labels, kind="stable"), "reversed": backwards, "shuffled": shuffled}


def in_other_order(corpus, order):
    return Corpus([corpus.texts[row] for row in order], corpus.labels[order], corpus.classes, corpus.source)


def texts(corpus, rows):
    return [corpus.texts[row] for row in rows]


@pytest.fixture(scope="module")
def files(make_corpus):
    """The same texts with the same labels in four orders; some have no label."""
    corpus = make_corpus(rows=210, classes=("negative", "neutral", "positive"), unlabeled=9)
    assert len(set(corpus.texts)) == len(corpus)
    return [corpus, *(in_other_order(corpus, order) for order in orders(corpus.labels).values())]


@pytest.fixture(scope="module")
def lean(files, tmp_path_factory):
    """A function: the loop of a benchmark's row over one of the files."""
    config = BenchConfig(
        strategies=SPELLINGS, seeds=2, budgets=BUDGETS, max_length=12, steps=3, batch_size=16
    ).checked()  # fmt: skip
    folder = tmp_path_factory.mktemp("bench")
    benches = {id(corpus): Bench(config, corpus, folder) for corpus in files}

    def make(corpus, spelling, labels=None):
        bench = benches[id(corpus)]
        loop = bench._loop(Method.of(spelling), range(2))
        loop.method.recipe = replace(loop.method.recipe, guard=False, committee_size=2, draws=2)
        if labels is not None:
            loop.oracle = replace(bench.oracle, labels=labels)
        return loop

    return make


def picks_of(loop):
    """Of each seed the rows of each query, the last of them chosen and not asked."""
    found = [[] for _ in loop.states]
    for number in range(len(BUDGETS)):
        queries = loop.next_queries()
        for rows, proposal in zip(found, queries, strict=True):
            rows.append(proposal.choice.rows)
        if number + 1 < len(BUDGETS):
            loop.ask(queries)
            loop.learn()
    return found


def elsewhere(labels, known, rng):
    """The labels of all rows but the known ones, dealt anew."""
    changed = labels.copy()
    hidden = np.setdiff1d(np.flatnonzero(labels >= 0), known)
    changed[hidden] = rng.permutation(labels[hidden])
    assert (changed != labels).sum() > len(hidden) // 3
    return changed


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_lean_picks_the_same_texts_whatever_the_order_of_the_file_and_the_hidden_labels(spelling, files, lean):
    corpus, *others = files
    expected = picks_of(lean(corpus, spelling))
    for other in others:
        for found, wanted in zip(picks_of(lean(other, spelling)), expected, strict=True):
            assert [texts(other, rows) for rows in found] == [texts(corpus, rows) for rows in wanted]
    paid = np.concatenate([rows for run in expected for rows in run[:-1]])
    hidden = elsewhere(corpus.labels, paid, np.random.default_rng(0))
    for found, wanted in zip(picks_of(lean(corpus, spelling, hidden)), expected, strict=True):
        assert [rows.tolist() for rows in found] == [rows.tolist() for rows in wanted]


def example_of(corpus, protocol, spelling, folder, split=None, **options):
    config = TrainConfig(
        protocol=protocol, strategy=spelling, rounds=1, query_size=15, max_epochs=1, batch_size=32, **options
    ).resolved()
    split = split or stratified_split(corpus, seed=0)
    encoder = TextEncoder.fit((corpus.texts[row] for row in split.labeled), max_length=12)
    return ExampleLoop(config, corpus, split, encoder, folder)


def example_picks(loop):
    """What is chosen by a model that has learned nothing; that of a fit is tried below."""
    acquisition = loop.acquisition
    acquisition.models.take(loop.model, loop.data)
    acquisition.state.steering = acquisition.models.judge("val")
    acquisition.watch(loop.data)
    return acquisition.next_query().rows


@pytest.mark.parametrize("protocol", ["keras", "honest"])
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_example_picks_the_same_texts_whatever_the_order_of_the_file(spelling, protocol, files, tmp_path):
    corpus, *others = files
    expected = example_picks(example_of(corpus, protocol, spelling, tmp_path, committee_size=2))
    assert len(expected)
    for other in others:
        found = example_picks(example_of(other, protocol, spelling, tmp_path, committee_size=2))
        assert texts(other, found) == texts(corpus, expected)


@pytest.mark.parametrize(
    ("spelling", "protocol"),
    [(one, name) for one in SPELLINGS for name in ("keras", "honest") if name == "honest" or "ratio" not in one],
)
def test_example_picks_the_same_texts_whatever_the_hidden_labels(spelling, protocol, files, tmp_path):
    """The ratio rule of the protocol `keras` reads the true classes of the pool, as its page does."""
    corpus = files[0]
    loop = example_of(corpus, protocol, spelling, tmp_path, committee_size=2)
    split, expected = loop.data.split, example_picks(loop)
    paid = np.concatenate([split.validation, split.test, split.labeled])
    labels = elsewhere(corpus.labels, paid, np.random.default_rng(0))
    changed = Corpus(corpus.texts, labels, corpus.classes, corpus.source)
    found = example_picks(example_of(changed, protocol, spelling, tmp_path, split, committee_size=2))
    assert found.tolist() == expected.tolist()


@pytest.mark.parametrize("protocol", ["keras", "honest"])
def test_example_learns_the_same_whatever_the_order_of_the_file(protocol, files, tmp_path):
    corpus, *others = files

    def learned(one):
        loop = example_of(one, protocol, "ratio", tmp_path, accelerator="cpu")
        loop.learner.fit()
        [done] = loop.acquisition.history
        return texts(one, done.query.rows), [weight.tolist() for weight in loop.model.parameters()]

    expected = learned(corpus)
    assert all(learned(other) == expected for other in others)


@pytest.mark.parametrize(
    "settings",
    [{"protocol": "keras"}, {"protocol": "lean"}, {"protocol": "lean", "oracle": "file", "test_size": 20}],
    ids=["example", "lean", "people"],
)
def test_a_split_is_the_same_for_the_same_texts_in_another_order(settings, files, tmp_path):
    def parts(corpus, name):
        path = tmp_path / f"{name}.csv"
        named = [corpus.classes[label] if label >= 0 else "" for label in corpus.labels]
        path.write_text(
            "text,label\n" + "".join(f"{text},{label}\n" for text, label in zip(corpus.texts, named, strict=True))
        )
        found = prepare(TrainConfig(data=str(path), **settings).resolved())
        split = found.split
        each = (split.validation, split.test, split.labeled, split.pool)
        return [texts(found.corpus, rows) for rows in each], found.encoder.vocabulary

    expected = parts(files[0], "first")
    assert sum(map(len, expected[0])) > 150
    for number, other in enumerate(files[1:]):
        assert parts(other, f"other-{number}") == expected


def bench_pool(corpus, seed, folder):
    return Bench(BenchConfig(split_seed=seed, budgets=(20,), max_length=5), corpus, folder).pool


def lean_pool(corpus, seed, folder):
    path = folder / f"{corpus.fingerprint}.jsonl"
    rows = [{"text": text, "label": int(label)} for text, label in zip(corpus.texts, corpus.labels, strict=True)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return prepare(TrainConfig(data=str(path), protocol="lean", split_seed=seed).resolved()).split.pool


@pytest.mark.parametrize(
    "pool_of", [lambda corpus, seed, _: stratified_split(corpus, seed=seed).pool, bench_pool, lean_pool]
)
def test_labels_have_no_part_in_the_order_of_a_pool(pool_of, make_corpus, tmp_path):
    """Other labels give other parts; but of the rows that stay in the pool, which stands before which is the same."""
    corpus = make_corpus(rows=210, classes=("negative", "neutral", "positive"))
    changed = Corpus(corpus.texts, np.random.default_rng(1).permutation(corpus.labels), corpus.classes)
    for seed in range(3):
        pools = [pool_of(one, seed, tmp_path).tolist() for one in (corpus, changed)]
        both = set(pools[0]) & set(pools[1])
        assert [row for row in pools[0] if row in both] == [row for row in pools[1] if row in both]
        assert len(both) > 50


def test_copies_keep_their_order_of_occurrence():
    corpus = Corpus(["b", "a", "b", "a", "b"], np.array([0, 0, 1, 1, 1]), ("x", "y"))
    assert [row for row in corpus.order if corpus.texts[row] == "b"] == [0, 2, 4]
    assert corpus.in_order(np.array([4, 2, 2])).tolist() == [2, 4]


def test_cells_of_every_kind_of_row_are_the_same_whatever_the_order_of_the_file(files, tmp_path):
    """With a teacher, with linear models, with an oracle that errs and skips."""
    config = BenchConfig(
        strategies=("lean/margin", "lean/kmeans", "tfidf-lr:margin", "lsa-lr:margin"),
        seeds=2, budgets=(40, 60), max_length=12, steps=3, study_steps=6, oracle_noise="0.2", oracle_skip=0.1,
    ).checked()  # fmt: skip

    def cells(corpus, number):
        folder = tmp_path / str(number)
        (folder / "state").mkdir(parents=True)
        found = Bench(config, corpus, folder).cells(set())
        return [replace(cell, fit_seconds=0, score_seconds=0, select_seconds=0) for cell in found]

    expected = cells(files[0], 0)
    assert {cell.labels_spent for cell in expected} == {40, 60}
    assert len({cell.labels for cell in expected}) > 2  # some were skipped
    for number, other in enumerate(files[1:], 1):
        assert cells(other, number) == expected


def test_what_people_are_asked_next_is_the_same_whatever_the_order_of_the_file(files):
    def asked(corpus):
        learner = Learner(corpus.texts, corpus.classes, {"recipe": "scratch", "steps": 3, "strategy": "ratio"})
        cold = [corpus.texts[one.item] for one in learner.cold_start(20)]
        rows = np.flatnonzero([text in labeled for text in corpus.texts])
        learned = learner.learn(rows, corpus.labels[rows], number=1)
        ranked = [(corpus.texts[one.item], one.predicted) for one in learner.rank(30)]
        return cold, ranked, [weight.tolist() for weight in learned.model.parameters()]

    labeled = {files[0].texts[row] for row in range(40)}
    expected = asked(files[0])
    assert all(asked(other) == expected for other in files[1:])
