import numpy as np
import pytest

from lit_al.benchmark.linear import Linear, check_baseline
from lit_al.benchmark.methods import Method
from lit_al.data import Corpus
from lit_al.exceptions import ConfigError
from lit_al.loop.state import LoopState
from lit_al.strategies import Context, Pool, choose, make_strategy

POOL, JUDGED = np.arange(160), np.arange(160, 200)


@pytest.fixture(params=[2, 3], scope="module")
def linear(request, make_corpus):
    return Linear(make_corpus(classes=("negative", "neutral", "positive")[: request.param]), POOL, JUDGED)


@pytest.mark.parametrize("name", ["tfidf-lr", "tfidf-lr:margin", "lsa-lr", "lsa-lr:margin"])
def test_baseline_learns_and_judges_every_budget(name, linear):
    cells = list(linear.cells(Method.of(name), 3, [20, 40, 80]))
    assert [(cell.seed, cell.round, cell.labels) for cell in cells] == [(3, 0, 20), (3, 1, 40), (3, 2, 80)]
    assert min(cell.accuracy for cell in cells if cell.labels == 80) > 0.8
    assert all((cell.taken is None) == (cell.round == 0) for cell in cells)


def test_first_labels_are_those_of_the_networks_runs(linear):
    run = LoopState(3, make_strategy("random"), POOL)
    linear._take(run, make_strategy("random"), Pool(POOL), 20, 0)
    expected = choose(
        make_strategy("random"), Pool(POOL), 20, Context(LoopState(3, make_strategy("entropy"), POOL).rng(0))
    )
    assert (run.labeled == expected.rows).all()


def test_margin_takes_the_texts_that_the_model_is_least_sure_of(linear):
    [first, second] = linear.cells(Method.of("tfidf-lr:margin"), 0, [20, 30])
    assert first.labels == 20
    assert sum(second.taken) == 10


def test_one_class_is_answered_until_another_is_seen(make_corpus):
    corpus = make_corpus()
    corpus = Corpus(corpus.texts, np.zeros(200, np.int64), corpus.classes, source="one class")
    [cell] = Linear(corpus, POOL, JUDGED).cells(Method.of("lsa-lr"), 0, [5])
    assert cell.accuracy == 1.0


def test_names_of_no_use_are_refused():
    with pytest.raises(ConfigError, match="pick at random or by margin"):
        check_baseline(Method.of("tfidf-lr:entropy"))
