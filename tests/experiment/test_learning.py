import numpy as np
import pyarrow as pa
import pytest
import torch
from pyarrow import parquet

from lit_al.exceptions import ConfigError, FitError
from lit_al.experiment.learning import Learner, growing, spread
from lit_al.strategies import Collapse
from lit_al.text.embeddings import read_embeddings
from lit_al.training.step_training import StepTraining

QUICK = {"seed": 0, "study_steps": 3, "vocabulary_size": 200, "max_length": 12, "accelerator": "cpu"}


@pytest.fixture(params=[2, 3], scope="module")
def corpus(request, make_corpus):
    return make_corpus(300, ("negative", "neutral", "positive")[: request.param])


def make_learner(corpus, **settings):
    return Learner(list(corpus.texts), corpus.classes, {**QUICK, **settings})


def weights(model):
    return [weight.detach().clone() for weight in model.parameters()]


def test_ranking_names_texts_without_a_label_with_probabilities_and_reasons(corpus):
    learner, rows = make_learner(corpus), np.arange(0, 100, 5)
    learned = learner.learn(rows, corpus.labels[rows], 1, passed=np.array([1, 2]))
    ranked = learner.rank(100)
    items = [one.item for one in ranked]
    assert len(set(items)) == len(items) == 100
    assert not set(items) & {*rows.tolist(), 1, 2}
    assert (learned.run.asked, len(learned.run.pool)) == (len(rows) + 2, 300 - len(rows) - 2)
    for one in ranked:
        assert set(one.probabilities) == set(corpus.classes)
        assert sum(one.probabilities.values()) == pytest.approx(1, abs=1e-5)
        assert one.reason


def test_probabilities_are_those_of_the_model_that_is_delivered(corpus):
    from lit_al.models.prediction import classify

    learner, rows = make_learner(corpus), np.arange(20)
    learned = learner.learn(rows, corpus.labels[rows], 1)
    ranked = learner.rank(30)
    told = classify(learned.model.eval(), [corpus.texts[one.item] for one in ranked])
    for one, prediction in zip(ranked, told, strict=True):
        assert prediction.probabilities == pytest.approx(dict(one.probabilities), abs=1e-5)


def test_same_labels_and_number_give_the_same_model_whatever_came_before(corpus):
    fresh, used, rows = make_learner(corpus), make_learner(corpus), np.arange(20)
    used.learn(rows[:10], corpus.labels[rows[:10]], 1)
    used.rank(20)
    one, other = (learner.learn(rows, corpus.labels[rows], 2) for learner in (fresh, used))
    assert all(torch.equal(a, b) for a, b in zip(weights(one.model), weights(other.model), strict=True))
    assert fresh.rank(40) == used.rank(40)
    third = fresh.learn(rows, corpus.labels[rows], 3)
    assert not all(torch.equal(a, b) for a, b in zip(weights(one.model), weights(third.model), strict=True))


def test_controls_stand_at_random_places_from_the_beginning_on(corpus):
    learner, rows = make_learner(corpus, strategy="margin+random:0.2"), np.arange(20)
    learner.learn(rows, corpus.labels[rows], 1)
    learner.recipe = learner._loop.method.recipe = type(learner.recipe)(guard=False)
    controls = np.array([one.control for one in learner.rank(200)])
    assert controls.sum() == 40
    assert controls[:10].sum() == 2
    assert controls[10:30].sum() == 4
    places = np.flatnonzero(controls)
    assert not np.array_equal(places[2:6], np.arange(10, 14))
    assert all(one.control == (one.reason == "random control") for one in learner.rank(200))


def test_random_strategy_draws_nothing_but_controls(corpus):
    learner, rows = make_learner(corpus, strategy="random"), np.arange(20)
    learner.learn(rows, corpus.labels[rows], 1)
    assert all(one.control for one in learner.rank(50))


def test_guard_ranks_at_random_while_the_model_answers_one_class(corpus, monkeypatch):
    monkeypatch.setattr("lit_al.loop.acquisition.collapsed", lambda probabilities: Collapse(0, 1.0))
    learner, rows = make_learner(corpus), np.arange(20)
    learner.learn(rows, corpus.labels[rows], 1)
    assert {one.reason for one in learner.rank(50)} == {"drawn at random"}
    assert learner.collapse == Collapse(0, 1.0)
    assert learner.chosen_by() == "random"


@pytest.mark.parametrize("recipe", ["lean", "scratch"])
def test_thirty_texts_are_enough(recipe, make_corpus):
    corpus = make_corpus(30)
    learner = make_learner(corpus, recipe=recipe, steps=3)
    learner.learn(np.arange(4), corpus.labels[:4], 1)
    assert {one.item for one in learner.rank()} == set(range(4, 30))
    assert any("30 texts teach little" in note for note in learner.notes) == (recipe == "lean")
    everything = np.arange(30)
    learner.learn(everything, corpus.labels, 2)
    assert learner.rank() == []


def test_labels_of_one_class_are_refused(corpus):
    learner, rows = make_learner(corpus), np.flatnonzero(corpus.labels == 1)[:9]
    with pytest.raises(FitError, match="needs labels of two classes"):
        learner.learn(rows, corpus.labels[rows], 1)
    with pytest.raises(FitError, match="no model to rank by"):
        learner.rank()


def test_weights_that_are_no_numbers_are_refused_and_the_old_model_stays(corpus, monkeypatch):
    learner, rows = make_learner(corpus), np.arange(20)
    learner.learn(rows, corpus.labels[rows], 1)
    before = learner.rank(30)

    def fit(loop, number):
        with torch.no_grad():
            next(iter(loop.method.model.parameters())).fill_(torch.nan)

    monkeypatch.setattr("lit_al.loop.active_loop.ActiveLoop.fit", fit)
    with pytest.raises(FitError, match=r"model 2 came to nothing: .* \(NaN\)"):
        learner.learn(rows, corpus.labels[rows], 2)
    assert learner.rank(30) == before


@pytest.mark.parametrize("how", ["random", "typicality", "kmeans"])
def test_cold_start_ranks_before_any_label(how, corpus):
    learner, again = (make_learner(corpus, cold_start=how) for _ in range(2))
    ranked = learner.cold_start(40, passed=[3, 4])
    assert len({one.item for one in ranked} - {3, 4}) == 40
    assert not any(one.probabilities or one.control for one in ranked)
    assert ranked == again.cold_start(40, passed=[3, 4])
    assert learner.chosen_by().startswith(how)


def test_unknown_cold_start_is_refused(corpus):
    with pytest.raises(ConfigError, match="take one of random, typicality, kmeans"):
        make_learner(corpus, cold_start="hot")


@pytest.mark.parametrize("strategy", ["committee-vote", "badge", "coreset:vectors", "typicality:vectors", "ratio"])
def test_every_kind_of_strategy_ranks(strategy, corpus):
    learner, rows = make_learner(corpus, strategy=strategy, committee_size=2), np.arange(20)
    learner.learn(rows, corpus.labels[rows], 1)
    ranked = [one.item for one in learner.rank(50)]
    assert len(set(ranked)) == len(ranked) > 0


def test_more_answers_between_models_mean_longer_rankings(corpus):
    assert make_learner(corpus, retrain_every=5).ahead == 200
    assert make_learner(corpus, retrain_every=25).ahead == 500


@pytest.mark.parametrize(("first", "total"), [(1, 1), (10, 7), (10, 200), (3, 100)])
def test_growing_batches_add_up(first, total):
    sizes = growing(first, total)
    assert sum(sizes) == total
    assert all(0 < size <= first * 2**index for index, size in enumerate(sizes))


def test_spread_keeps_the_order_of_the_others_and_batches_apart():
    marked = np.array([True, True, False, False, False, True, False, False])
    for seed in range(20):
        order = spread(marked, [5, 3], np.random.default_rng(seed))
        assert set(order[:5].tolist()) == {0, 1, 2, 3, 4}
        assert [place for place in order.tolist() if not marked[place]] == [2, 3, 4, 6, 7]


def test_texts_without_spaces_are_read_by_characters_and_it_says_so():
    texts = [
        f"这家店的菜{'很好吃' if number % 2 else '不好吃'}，下次{'再来' * (1 + number % 5)}" for number in range(60)
    ]
    told = []
    learner = Learner(texts, ("差", "好"), {**QUICK, "recipe": "scratch", "steps": 3}, told.append)
    assert "encoder: characters, for 100 % of the texts have no spaces between words" in told
    assert learner.encoder.units == "characters"
    rows = np.arange(20)
    learned = learner.learn(rows, rows % 2, 1)
    assert learned.model.encoder == learner.encoder
    asked = Learner(texts, ("差", "好"), {**QUICK, "recipe": "scratch", "units": "words"}, told.append)
    assert asked.encoder.units == "words"


@pytest.fixture
def vectors_file(corpus, tmp_path):
    """A Parquet file of vectors in which texts of a class lie together, in an order of its own."""
    centers = np.random.default_rng(0).normal(size=(3, 8))
    rows = np.random.default_rng(1).permutation(len(corpus))
    vectors = centers[corpus.labels[rows]] + 0.01 * rows[:, None]
    table = pa.table({"text": [corpus.texts[row] for row in rows], "vector": list(vectors)})
    parquet.write_table(table, tmp_path / "vectors.parquet")
    return tmp_path / "vectors.parquet"


def test_vectors_of_a_file_are_those_of_cold_start_strategies_and_teacher(corpus, vectors_file):
    said = []
    settings = {**QUICK, "cold_start": "kmeans", "strategy": "coreset:vectors", "embeddings": str(vectors_file)}
    learner = Learner(list(corpus.texts), corpus.classes, {**settings, "encoder": ""}, said.append)
    expected = read_embeddings(vectors_file, corpus)
    first = {one.item for one in learner.cold_start(30)}
    assert first != {one.item for one in make_learner(corpus, cold_start="kmeans").cold_start(30)}
    rows = np.arange(20)
    learner.learn(rows, corpus.labels[rows], 1)
    view = learner._pretraining.features.views[-1]
    np.testing.assert_allclose(view.matrix, expected.astype(np.float32), atol=1e-3)
    np.testing.assert_array_equal(learner._loop.method.vectors, expected.astype(np.float32))
    assert "computing text vectors" not in said
    assert len(learner.rank(30)) == 30


def test_encoder_says_how_far_it_is(corpus, monkeypatch):
    def read(texts, encoder, *, device, advance):
        advance(100)
        return np.eye(len(texts), 8, dtype=np.float16)

    monkeypatch.setattr("lit_al.text.embeddings.encoder_vectors", read)
    said = []
    learner = Learner(list(corpus.texts), corpus.classes, {**QUICK, "encoder": "some/name"}, said.append)
    learner.prepare()
    assert "vectors of the texts: 100 of 300" in said
    assert learner._pretraining.features.views[-1].matrix.shape == (300, 8)


def test_folds_judge_every_label_by_models_that_learned_neither_it_nor_a_copy(corpus, monkeypatch):
    rows = np.arange(40)
    texts = [*corpus.texts[:30], *corpus.texts[:10], *corpus.texts[40:]]  # the last ten labels are of copies
    labels = np.concatenate([corpus.labels[:30], corpus.labels[:10]])
    learner = Learner(texts, corpus.classes, QUICK)
    sets = []
    train = StepTraining._train
    monkeypatch.setattr(
        StepTraining, "_train", lambda self, model, n, labeled, *rest: sets.append(labeled) or train(
            self, model, n, labeled, *rest)
    )  # fmt: skip
    validated = learner.learn(rows, labels, 1, folds=4).run.validated
    [whole], members = sets
    assert sorted(whole.rows.tolist()) == sorted(validated.rows.tolist()) == rows.tolist()
    assert validated.probabilities.shape == (40, len(corpus.classes))
    assert dict(zip(validated.rows.tolist(), validated.answers.tolist(), strict=True)) == dict(
        zip(rows.tolist(), labels.tolist(), strict=True)
    )
    assert len(members) == 4
    for labeled in members:
        left_out = {*rows.tolist()} - {*labeled.rows.tolist()}
        assert not {texts[row] for row in left_out} & {texts[row] for row in labeled.rows.tolist()}


def test_folds_do_not_change_the_model(corpus):
    rows = np.arange(20)
    one, other = (make_learner(corpus).learn(rows, corpus.labels[rows], 1, folds=folds) for folds in (0, 3))
    assert all(torch.equal(a, b) for a, b in zip(weights(one.model), weights(other.model), strict=True))
    assert one.run.validated is None


def test_judging_alone_says_what_a_fit_with_folds_says(corpus):
    rows = np.arange(0, 60)
    with_model = make_learner(corpus).learn(rows, corpus.labels[rows], number=1, folds=3).run.validated
    learner = make_learner(corpus)
    alone = learner.judge(rows, corpus.labels[rows], folds=3)
    assert np.array_equal(alone.rows, with_model.rows)
    assert np.array_equal(alone.probabilities, with_model.probabilities)
    with pytest.raises(FitError, match="no model to choose by"):
        learner.propose(5, "margin")
