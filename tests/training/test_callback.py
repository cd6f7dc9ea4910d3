import lightning as L
import numpy as np
import pytest
import torch
from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint

from lit_al.exceptions import ConfigError
from lit_al.loop.data_module import ActiveDataModule
from lit_al.models.best_checkpoint import BestCheckpoint
from lit_al.models.lit_bilstm import LitBiLSTM
from lit_al.models.scoring import evaluate, score
from lit_al.oracles import SimulatedOracle
from lit_al.strategies import STRATEGIES, RatioSampling, Strategy, make_strategy
from lit_al.training.callback import ActiveLearningCallback


def build(corpus):
    data = ActiveDataModule(corpus, batch_size=32)
    L.seed_everything(0, verbose=False)
    return LitBiLSTM(corpus.classes, data.encoder.state_dict()), data


def trainer(*callbacks, epochs=1):
    return L.Trainer(
        max_epochs=epochs,
        callbacks=list(callbacks),
        accelerator="cpu",
        logger=False,
        enable_checkpointing=any(isinstance(one, ModelCheckpoint | BestCheckpoint) for one in callbacks),
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
    )


def run(model, data, callback, *more):
    fits = 0
    while not callback.done:
        trainer(callback, *more).fit(model, data)
        fits += 1
    return fits


def test_three_lines_of_lightning_run_the_loop(corpus):
    model, data = build(corpus)
    callback = ActiveLearningCallback(SimulatedOracle(corpus.labels), rounds=2, query_size=20)
    while not callback.done:
        trainer(callback, EarlyStopping("val_loss", patience=4), epochs=2).fit(model, data)
    assert [done.number for done in callback.history] == [1, 2]
    assert callback.stop_reason == "all 2 rounds are done"
    sizes = [60 + sum(len(done.query.rows) for done in callback.history[:n]) for n in (1, 2)]
    assert [done.labels for done in callback.history] == sizes
    assert len(data.split.labeled) == sizes[-1]


def test_round_follows_the_formula_and_the_head_of_each_pool(corpus):
    model, data = build(corpus)
    pool = data.split.pool.copy()
    callback = ActiveLearningCallback(SimulatedOracle(corpus.labels), rounds=1, query_size=20)
    trainer(callback).fit(model, data)
    done = callback.history[0]
    matrix = evaluate(model, data.test_dataloader()).confusion.matrix
    assert done.steering.confusion.matrix.tolist() == matrix.tolist()
    quotas = RatioSampling().quotas(done.steering.confusion, 20)
    heads = [pool[corpus.labels[pool] == index][:quota] for index, quota in enumerate(quotas)]
    assert done.query.rows.tolist() == np.concatenate(heads).tolist()
    assert done.query.taken(len(quotas)) == tuple(quotas)
    assert (data.known[done.query.rows] == corpus.labels[done.query.rows]).all()


def test_steering_by_validation_never_touches_the_test_set(corpus, monkeypatch):
    model, data = build(corpus)
    monkeypatch.setattr(data, "test_dataloader", lambda: pytest.fail("the test set was read"))
    asked = []
    batches = data.batches
    monkeypatch.setattr(data, "batches", lambda rows: asked.append(rows) or batches(rows))
    callback = ActiveLearningCallback(SimulatedOracle(corpus.labels), rounds=1, query_size=10, steer_on="val")
    run(model, data, callback)
    assert all(set(rows) == set(data.split.validation) for rows in asked)


class Tattletale(SimulatedOracle):
    """Remembers which labels were asked for."""

    def __init__(self, labels):
        super().__init__(labels)
        object.__setattr__(self, "asked", [])

    def ask(self, rows):
        self.asked.append(rows.copy())
        return super().ask(rows)


def test_predicted_classes_ask_for_no_label_but_those_taken(corpus):
    model, data = build(corpus)
    oracle = Tattletale(corpus.labels)
    callback = ActiveLearningCallback(oracle, rounds=1, query_size=20, steer_on="val", pool_classes="predicted")
    pool = data.split.pool.copy()
    trainer(callback).fit(model, data)
    done = callback.history[0]
    assert [rows.tolist() for rows in oracle.asked] == [done.query.rows.tolist()]
    predicted = score(model, data.pool_dataloader(pool)).argmax(axis=1)
    quotas = RatioSampling().quotas(done.steering.confusion, 20)
    heads = [pool[predicted == index][:quota] for index, quota in enumerate(quotas)]
    assert done.query.rows.tolist() == np.concatenate(heads).tolist()
    assert done.query.taken(2) == tuple(np.bincount(corpus.labels[done.query.rows], minlength=2))


def test_pool_that_runs_short_ends_after_one_more_fit(corpus):
    model, data = build(corpus)
    callback = ActiveLearningCallback(SimulatedOracle(corpus.labels), rounds=5, query_size=300)
    assert run(model, data, callback) == 2
    assert callback.history[-1].query.choice.short
    assert callback.stop_reason == "the pool ran short in round 1"


def test_rows_without_a_label_stay_in_the_pool(make_corpus):
    corpus = make_corpus(rows=300, unlabeled=100)
    model, data = build(corpus)
    callback = ActiveLearningCallback(
        SimulatedOracle(corpus.labels), rounds=1, query_size=40, steer_on="val", pool_classes="predicted"
    )
    run(model, data, callback)
    assert set(np.flatnonzero(corpus.labels < 0)) <= set(data.split.pool)


def test_target_accuracy_stops_without_a_query(corpus):
    model, data = build(corpus)
    callback = ActiveLearningCallback(SimulatedOracle(corpus.labels), target_accuracy=0.01)
    assert run(model, data, callback) == 1
    assert callback.history == []
    assert "reached 0.01" in callback.stop_reason


def test_best_weights_come_back_after_every_fit_but_the_first(corpus, tmp_path):
    model, data = build(corpus)
    best = BestCheckpoint(tmp_path)
    callback = ActiveLearningCallback(SimulatedOracle(corpus.labels), rounds=2, query_size=10)
    trainer(callback, best).fit(model, data)
    with torch.no_grad():
        model.net.head.weight.fill_(123.0)  # a mark that the file does not have
    best.best_model_score = -1.0  # nothing in the next fit can be better
    trainer(callback, best).fit(model, data)
    assert model.net.head.weight.abs().max() < 100


def test_first_fit_goes_on_from_its_last_weights(corpus, tmp_path):
    model, data = build(corpus)
    best = BestCheckpoint(tmp_path)
    callback = ActiveLearningCallback(SimulatedOracle(corpus.labels), rounds=1, query_size=10)

    class Mark(L.Callback):
        def on_train_epoch_end(self, trainer, pl_module):
            with torch.no_grad():
                pl_module.net.head.bias.fill_(7.0)  # after the checkpoint was written

    trainer(Mark(), callback, best).fit(model, data)
    assert model.net.head.bias.item() == 7.0


def test_lightnings_own_checkpoint_serves_too(corpus, tmp_path):
    model, data = build(corpus)
    callback = ActiveLearningCallback(SimulatedOracle(corpus.labels), rounds=1, query_size=10)
    while not callback.done:
        own = ModelCheckpoint(tmp_path / str(callback.fits), monitor="val_loss")
        trainer(callback, own).fit(model, data)
    assert callback.fits == 2


def test_interrupted_fit_acquires_nothing(corpus):
    model, data = build(corpus)
    callback = ActiveLearningCallback(SimulatedOracle(corpus.labels), rounds=1, query_size=10)

    class Interrupt(L.Callback):
        def on_train_batch_end(self, *args):
            raise KeyboardInterrupt

    with pytest.raises(SystemExit):
        trainer(Interrupt(), callback).fit(model, data)
    assert callback.history == []
    assert len(data.split.labeled) == 60


@pytest.mark.parametrize(
    ("settings", "words"),
    [({"rounds": -1}, "rounds=-1"), ({"query_size": 0}, "query_size=0"), ({"target_accuracy": 85}, "as in 0.9")],
)
def test_bad_settings_are_refused(settings, words):
    with pytest.raises(ConfigError, match=words):
        ActiveLearningCallback(SimulatedOracle(np.zeros(1, np.int64)), **settings)


def test_other_models_are_refused(corpus):
    callback = ActiveLearningCallback(SimulatedOracle(corpus.labels))
    model, data = build(corpus)
    with pytest.raises(ConfigError, match=r"needs trainer\.fit"):
        trainer(callback).fit(model, train_dataloaders=data.train_dataloader(), val_dataloaders=data.val_dataloader())


@pytest.mark.parametrize("name", [*STRATEGIES, "kmeans:vectors", "entropy+balanced+subsample:60+diverse:0.9+random"])
def test_every_strategy_fills_its_queries(corpus, name):
    model, data = build(corpus)
    callback = ActiveLearningCallback(
        SimulatedOracle(corpus.labels), make_strategy(name), rounds=2, query_size=15,
        steer_on="val", pool_classes="predicted", committee_size=2,
    )  # fmt: skip
    assert run(model, data, callback) == 3
    for done in callback.history:
        assert len(set(done.query.rows)) == len(done.query.rows) == 15
        assert done.query.strategy == make_strategy(name).spelling
        assert len(done.query.choice.reasons) == len(done.query.choice.scores) == len(done.query.choice.controls) == 15
        assert (done.query.said == corpus.labels[done.query.rows]).all()
        assert sum(done.query.called(2)) == sum(done.query.taken(2)) == 15
    assert callback.history[0].query.choice.controls.sum() == (2 if name.endswith("+random") else 0)


def test_same_seed_chooses_the_same_and_another_others(corpus):
    chosen = []
    for seed in (0, 0, 1):
        model, data = build(corpus)
        strategy = make_strategy("committee-kl+subsample:50+random:0.2")
        callback = ActiveLearningCallback(
            SimulatedOracle(corpus.labels), strategy, rounds=2, query_size=10, seed=seed, committee_size=2
        )
        run(model, data, callback)
        chosen.append([done.query.rows.tolist() for done in callback.history])
    assert chosen[0] == chosen[1] != chosen[2]


def test_only_candidates_are_scored_and_scores_are_remembered(corpus, monkeypatch):
    model, data = build(corpus)
    strategy = make_strategy("entropy+subsample:30")
    callback = ActiveLearningCallback(SimulatedOracle(corpus.labels), strategy, rounds=2, query_size=10)
    asked = []
    loader = data.pool_dataloader
    monkeypatch.setattr(data, "pool_dataloader", lambda rows=None: asked.append(len(rows)) or loader(rows))
    run(model, data, callback)
    assert (
        max(asked[0::2]) == 30
    )  # the candidates, the picks among them; then the labeled rows, for which nothing is computed
    first, second = (set(done.query.rows) for done in callback.history)
    known = set(strategy.known)
    assert first | second <= known
    assert 30 < len(known) <= 60


def test_strategy_that_needs_nothing_asks_the_model_of_its_picks_alone(corpus, monkeypatch):
    model, data = build(corpus)
    callback = ActiveLearningCallback(SimulatedOracle(corpus.labels), make_strategy("random"), rounds=1, query_size=10)
    asked = []

    class Watch(L.Callback):
        def on_train_end(self, trainer, pl_module):
            original = pl_module.net.lstm.forward
            pl_module.net.lstm.forward = lambda tokens, *more: asked.append(len(tokens)) or original(tokens, *more)

    trainer(Watch(), callback).fit(model, data)
    assert asked == [20, 10]  # the steering set, the picks


class Spy(Strategy):
    """Takes the head of the pool and keeps what it was given."""

    name = "spy"
    needs = frozenset({"classes", "probabilities"})
    needs_labeled = frozenset({"labels", "embeddings"})
    needs_confusion = True

    def score(self, pool, context):
        self.seen = pool, context
        return -np.arange(len(pool), dtype=float)


def test_strategy_sees_the_model_the_labels_and_the_errors_of_the_moment(corpus):
    model, data = build(corpus)
    callback = ActiveLearningCallback(SimulatedOracle(corpus.labels), Spy(), rounds=1, query_size=10, steer_on="val")
    rows, labeled = data.split.pool.copy(), data.split.labeled.copy()
    trainer(callback).fit(model, data)
    pool, context = callback.strategy.seen
    np.testing.assert_array_equal(pool.rows, rows)
    np.testing.assert_array_equal(pool.classes, corpus.labels[rows])  # pool_classes="true"
    np.testing.assert_array_equal(pool.probabilities, score(model, data.pool_dataloader(rows)))
    np.testing.assert_array_equal(context.labeled.rows, labeled)
    np.testing.assert_array_equal(context.labeled.labels, corpus.labels[labeled])
    assert context.labeled.embeddings.shape == (60, 20)
    expected = evaluate(model, data.val_dataloader()).confusion.matrix
    assert context.confusion.matrix.tolist() == expected.tolist()
    assert callback.history[0].query.rows.tolist() == rows[:10].tolist()


def test_model_of_one_answer_is_warned_of(corpus):
    model, data = build(corpus)
    with torch.no_grad():
        model.net.head.bias.fill_(50.0)
    callback = ActiveLearningCallback(SimulatedOracle(corpus.labels), make_strategy("entropy"), rounds=1, query_size=10)
    trainer(callback).fit(model, data)
    done = callback.history[0]
    assert done.warning.startswith(
        "the model called 100.0% of the candidates 'positive'; batches chosen by its answers"
    )
    assert done.query.called(2) == (0, 10)


def test_empty_pool_ends_the_loop(corpus):
    model, data = build(corpus)
    data.label(data.split.pool, np.zeros(len(data.split.pool), np.int64))
    callback = ActiveLearningCallback(SimulatedOracle(corpus.labels), make_strategy("entropy"), rounds=1, query_size=10)
    assert run(model, data, callback) == 1
    assert callback.stop_reason == "the pool holds no row"


def test_a_rule_ends_it_and_sees_the_validation_set_only_where_that_steers(corpus):
    model, data = build(corpus)
    settings = {"rounds": 5, "query_size": 10, "stop": "budget:75"}
    callback = ActiveLearningCallback(
        SimulatedOracle(corpus.labels), make_strategy("random"), steer_on="val", **settings
    )
    assert run(model, data, callback) == 3
    assert "budget of 75" in callback.stop_reason
    assert [seen.labels for seen in callback.monitor.history] == [60, 70, 80]
    assert callback.monitor.history[0].accuracy == callback.history[0].steering.accuracy
    leaking = ActiveLearningCallback(SimulatedOracle(corpus.labels), make_strategy("random"), **settings)
    run(*build(corpus), leaking)
    assert leaking.monitor.history[0].accuracy is None  # no control yet, and the test set is nobody's business
