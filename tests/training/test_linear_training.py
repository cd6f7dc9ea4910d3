import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer

from lit_al.benchmark.bench import check_row
from lit_al.benchmark.bench_config import BenchConfig
from lit_al.benchmark.methods import Method
from lit_al.data import Corpus
from lit_al.exceptions import ConfigError
from lit_al.loop.active_loop import ActiveLoop
from lit_al.loop.state import LoopState
from lit_al.oracles import SimulatedOracle
from lit_al.strategies import Context, Pool, choose, make_strategy
from lit_al.training.linear_training import FEATURES, LinearFeatures, LinearTraining

POOL, JUDGED = np.arange(160), np.arange(160, 200)


@pytest.fixture(params=[2, 3], scope="module")
def corpus(request, make_corpus):
    return make_corpus(classes=("negative", "neutral", "positive")[: request.param])


def vectors_of_words(corpus):
    """(N, D) float16 counts of words, in the place of an encoder's vectors."""
    return CountVectorizer().fit_transform(corpus.texts).toarray().astype(np.float16)


def make_loop(corpus, name="tfidf-lr", **options):
    method = LinearTraining(LinearFeatures(corpus, POOL, vectors_of_words(corpus)), len(corpus.classes), name)
    settings = {"seeds": [3, 4], "schedule": (20, 40, 80), "classes": len(corpus.classes), **options}
    return ActiveLoop(method, POOL, SimulatedOracle(corpus.labels), **settings)


@pytest.mark.parametrize("strategy", ["random", "margin", "entropy+balanced+random:0.2", "ratio"])
@pytest.mark.parametrize("name", FEATURES)
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
    chosen = [margins.pop(row) for row in loop.next_queries()[0].choice.rows.tolist()]
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
        check_row(Method.of(row), BenchConfig())


def test_characters_tell_texts_without_spaces_apart():
    words = {0: ["很好吃", "味道好", "非常满意"], 1: ["太难吃", "送得慢", "不会再来"]}
    rng, labels = np.random.default_rng(0), np.arange(200) % 2
    texts = [
        "".join(rng.permutation([*rng.choice(words[label], 2), *rng.choice(["外卖", "今天", "我们", "店家"], 2)]))
        for label in labels
    ]
    *_, last = make_loop(Corpus(texts, labels, ("good", "bad")), "chars-lr").rounds()
    assert ((last.method.score(JUDGED).argmax(axis=2) == labels[JUDGED]).mean(axis=1) > 0.9).all()


def test_encoder_row_without_vectors_is_refused():
    with pytest.raises(ConfigError, match="'encoder-lr' needs vectors of the texts; give --encoder or --embeddings"):
        check_row(Method.of("encoder-lr"), BenchConfig())
    check_row(Method.of("encoder-lr:margin"), BenchConfig(encoder="some/encoder"))


def test_texts_of_words_that_never_come_again_are_seen_word_by_word_and_those_of_none_refused():
    texts = [f"word{number}" for number in range(600)]
    corpus = Corpus(texts, np.arange(600) % 2, ("a", "b"), source="once")
    assert LinearFeatures(corpus, np.arange(550)).words[:550].getnnz() == 550
    none = Corpus(["?", "!"] * 60, np.arange(120) % 2, ("a", "b"), source="none")
    with pytest.raises(ConfigError, match="leave these rows out"):
        _ = LinearFeatures(none, np.arange(100)).words
