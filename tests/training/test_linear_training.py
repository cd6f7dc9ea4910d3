import numpy as np
import pytest

from lit_al.benchmark.methods import Method
from lit_al.benchmark.settings import BenchConfig
from lit_al.data import Corpus
from lit_al.exceptions import ConfigError
from lit_al.loop.active_loop import ActiveLoop
from lit_al.loop.state import LoopState
from lit_al.oracles import SimulatedOracle
from lit_al.strategies import Context, Pool, choose, make_strategy
from lit_al.training.linear_training import LinearFeatures, LinearTraining

POOL, JUDGED = np.arange(160), np.arange(160, 200)


@pytest.fixture(params=[2, 3], scope="module")
def corpus(request, make_corpus):
    return make_corpus(classes=("negative", "neutral", "positive")[: request.param])


def make_loop(corpus, name="tfidf-lr", **options):
    method = LinearTraining(LinearFeatures(corpus, POOL), len(corpus.classes), latent=name == "lsa-lr")
    settings = {"seeds": [3, 4], "schedule": (20, 40, 80), "classes": len(corpus.classes), **options}
    return ActiveLoop(method, POOL, SimulatedOracle(corpus.labels), **settings)


@pytest.mark.parametrize("strategy", ["random", "margin", "entropy+balanced+random:0.2", "ratio"])
@pytest.mark.parametrize("name", ["tfidf-lr", "lsa-lr"])
def test_regression_learns_and_scores_every_seed(name, strategy, corpus):
    *_, last = make_loop(corpus, name, strategy=strategy).rounds()
    found = last.method.score(JUDGED)
    assert found.shape == (2, 40, len(corpus.classes))
    assert ((found.argmax(axis=2) == corpus.labels[JUDGED]).mean(axis=1) > 0.8).all()
    own = last.method.score(np.stack([JUDGED[:5], JUDGED[5:10]]))
    assert (own[0] == found[0, :5]).all()
    assert (own[1] == found[1, 5:10]).all()


def test_first_labels_are_those_of_the_networks_runs(corpus):
    first = next(make_loop(corpus).rounds())
    chance = Context(LoopState(3, make_strategy("entropy"), POOL).rng(0))
    expected = choose(make_strategy("random"), Pool(POOL), 20, chance)
    assert (first.states[0].labeled == expected.rows).all()


def test_margin_takes_the_texts_that_the_model_is_least_sure_of(corpus):
    loop = make_loop(corpus, strategy="margin")
    first = next(loop.rounds())
    top = np.sort(first.method.score(first.states[0].pool)[0], axis=1)
    margins = dict(zip(first.states[0].pool.tolist(), top[:, -1] - top[:, -2], strict=True))
    loop.choose()
    chosen = [margins.pop(row) for row in loop.queries[0].choice.rows.tolist()]
    assert max(chosen) <= min(margins.values()) + 1e-6


def test_loop_goes_on_from_its_labels_as_if_never_stopped(corpus):
    *_, whole = make_loop(corpus, strategy="margin").rounds()
    broken, resumed = (make_loop(corpus, strategy="margin") for _ in range(2))
    next(broken.rounds())
    resumed.load_state_dict(broken.state_dict())
    *_, last = resumed.rounds()
    for one, other in zip(last.states, whole.states, strict=True):
        assert (one.labeled == other.labeled).all()
    np.testing.assert_array_equal(last.method.score(JUDGED), whole.method.score(JUDGED))


def test_one_class_is_answered_until_another_is_seen(make_corpus):
    corpus = make_corpus()
    corpus = Corpus(corpus.texts, np.zeros(200, np.int64), corpus.classes, source="one class")
    [done] = make_loop(corpus, "lsa-lr", schedule=(5,)).rounds()
    assert (done.method.score(JUDGED).argmax(axis=2) == 0).all()


@pytest.mark.parametrize(
    ("row", "missing"), [("tfidf-lr:badge", "embeddings"), ("lsa-lr:density", "vectors"), ("tfidf-lr:bald", "draws")]
)
def test_picks_that_need_what_a_linear_model_has_not_are_refused(row, missing):
    with pytest.raises(ConfigError, match=f"picks by .*{missing}.*, which a linear model does not have"):
        BenchConfig(strategies=(Method.of(row).spelling,)).checked()
