from dataclasses import replace

import lightning as L
import numpy as np
import pytest
import torch

from lit_al.exceptions import ConfigError, FitError
from lit_al.loop.active_loop import ActiveLoop
from lit_al.models.batches import Batches
from lit_al.models.scoring import score
from lit_al.oracles import ImperfectOracle, SimulatedOracle, uniform_noise
from lit_al.strategies import STRATEGIES, Collapse
from lit_al.text.encoder import TextEncoder
from lit_al.text.lsa import text_vectors
from lit_al.training import step_training
from lit_al.training.recipe import Recipe
from lit_al.training.step_training import StepTraining, _held, _labeled_sets
from lit_al.training.steps import AveragedWeights, LowestLoss, Steps, train

RECIPE = Recipe(steps=6, batch_size=16, guard=False, committee_size=2, draws=3)
POOL = np.arange(150)
SCHEDULE = (20, 30, 45)


@pytest.fixture(params=[2, 3], scope="module")
def material(request, make_corpus):
    """Corpus, tokens, words and vectors; rows from 150 on are nobody's business."""
    corpus = make_corpus(classes=("negative", "neutral", "positive")[: request.param])
    encoder = TextEncoder.fit(corpus.texts, max_length=15)
    tokens = torch.from_numpy(encoder.encode(corpus.texts))
    words = len(encoder.vocabulary)
    return corpus, tokens, words, text_vectors(tokens, words, 8)


class Watched(SimulatedOracle):
    """Remembers what it was asked."""

    def __init__(self, labels):
        super().__init__(labels)
        object.__setattr__(self, "asked", [])

    def ask(self, rows):
        self.asked.extend(rows.tolist())
        return super().ask(rows)


def make_loop(material, oracle=None, **options):
    corpus, tokens, words, vectors = material
    recipe, vectors = options.pop("recipe", RECIPE), options.pop("vectors", vectors)
    method = StepTraining(tokens, words, corpus.classes, recipe=recipe, vectors=vectors, accelerator="cpu")
    settings = {"seeds": [7, 8], "schedule": SCHEDULE, "classes": len(corpus.classes)}
    return ActiveLoop(method, POOL, oracle or SimulatedOracle(corpus.labels), **{**settings, **options})


def weights(model):
    return [weight.detach().clone() for weight in model.parameters()]


def same_weights(one, other):
    pairs = zip(weights(one.method.model), weights(other.method.model), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


@pytest.mark.parametrize("strategy", [*STRATEGIES, "entropy+balanced+subsample:20+diverse+random:0.2"])
def test_every_strategy_gets_what_it_needs_and_labels_what_it_asks(strategy, material):
    oracle = Watched(material[0].labels)
    for done, target in zip(make_loop(material, oracle, strategy=strategy).rounds(), SCHEDULE, strict=True):
        for run in done.states:
            assert len(run.labeled) == len(set(run.labeled.tolist())) == run.asked == target
            assert set(run.labeled.tolist()) | set(run.pool.tolist()) == set(POOL.tolist())
            assert (run.answers == material[0].labels[run.labeled]).all()
            assert len(run.query.choice.reasons) == len(run.query.choice.rows)
    assert len(oracle.asked) == 2 * SCHEDULE[-1]
    assert max(oracle.asked) < 150


def test_same_seed_same_picks_and_weights_and_other_seed_others(material):
    first, again = ([*make_loop(material, strategy="entropy").rounds()][-1] for _ in range(2))
    assert same_weights(first, again)
    assert (first.states[0].labeled == again.states[0].labeled).all()
    assert (first.states[0].labeled != first.states[1].labeled).any()


def test_first_labels_and_weights_are_those_of_the_seed_under_every_strategy(material):
    entropy, random = (make_loop(material, strategy=name) for name in ("entropy", "random"))
    assert same_weights(entropy, random)
    one, other = next(entropy.rounds()), next(random.rounds())
    assert (one.states[0].labeled == other.states[0].labeled).all()
    assert same_weights(one, other)


def test_seeds_side_by_side_choose_as_each_alone(material):
    """But for dropout masks, which are drawn for all together; so without dropout."""
    loops = [make_loop(material, strategy="margin", seeds=seeds) for seeds in ([7, 8], [8])]
    for loop in loops:
        new = loop.method.new_model

        def without_dropout(number, members=1, new=new):
            model = new(number, members)
            model.net.dropout.p = 0.0
            return model

        loop.method.new_model = without_dropout
        loop.method.model = without_dropout(0)
    together, alone = ([*loop.rounds()][-1] for loop in loops)
    assert (together.states[1].labeled == alone.states[0].labeled).all()
    for both, one in zip(weights(together.method.model), weights(alone.method.model), strict=True):
        torch.testing.assert_close(both[1], one[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("strategy", "validation"),
    [("entropy", "none"), ("random", "holdout:0.3"), ("margin+subsample:20", "holdout:0.3"), ("entropy", "cross:3")],
)
def test_loop_goes_on_from_a_saved_state_as_if_never_stopped(strategy, validation, material, tmp_path):
    settings = {"strategy": strategy, "recipe": replace(RECIPE, validation=validation)}
    whole = [*make_loop(material, **settings).rounds()][-1]
    broken = make_loop(material, **settings)
    next(broken.rounds())
    torch.save(broken.state_dict(), tmp_path / "state.pt")
    resumed = make_loop(material, **settings)
    resumed.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    rounds = [*resumed.rounds()]
    assert [done.number for done in rounds] == [1, 2]
    for run, expected in zip(rounds[-1].states, whole.states, strict=True):
        assert (run.labeled == expected.labeled).all()
        assert (run.held == expected.held).all()
        assert set(run.drawn.tolist()) == set(expected.drawn.tolist())
        if validation != "none":
            assert (run.validated.rows == expected.validated.rows).all()
            assert (run.validated.right == expected.validated.right).all()
    assert same_weights(rounds[-1], whole)


@pytest.mark.parametrize("strategy", ["entropy+random:0.3", "committee-vote", "contrastive"])
def test_held_out_rows_are_paid_for_and_in_no_training_batch(strategy, material, monkeypatch):
    fed = []

    class Fed(Steps):
        def __iter__(self):
            fed.append(self.rows)
            return super().__iter__()

    monkeypatch.setattr("lit_al.training.steps.Steps", Fed)
    oracle = Watched(material[0].labels)
    recipe = replace(RECIPE, validation="holdout:0.3")
    for done, target in zip(
        make_loop(material, oracle, strategy=strategy, recipe=recipe).rounds(), SCHEDULE, strict=True
    ):
        for index, run in enumerate(done.states):
            assert len(run.held) == round(0.3 * target)
            assert len(run.held) + len(run.labeled) == run.asked == target
            assert not set(run.held.tolist()) & (set(run.labeled.tolist()) | set(run.pool.tolist()))
            assert (run.held_answers == material[0].labels[run.held]).all()
            assert (run.validated.rows == run.held).all()
            for rows in fed:  # of the model, and of a strategy's committee
                each = len(rows) // 2
                trained = set(rows[index * each : (index + 1) * each].flatten().tolist())
                assert trained
                assert not trained & set(run.held.tolist())
    assert {len(rows) for rows in fed} == ({2, 4} if strategy == "committee-vote" else {2})
    assert set(done.states[0].held.tolist()) != set(done.states[1].held.tolist())
    assert len(oracle.asked) == 2 * SCHEDULE[-1]


def test_rows_that_chance_asked_for_are_known(material):
    for strategy, drawn in (("entropy", 20), ("entropy+random:0.5", 20 + 5 + 8), ("random", 45)):
        last = [*make_loop(material, strategy=strategy).rounds()][-1]
        assert [len(run.drawn) for run in last.states] == [drawn, drawn]
        assert all(set(run.drawn.tolist()) <= set(run.labeled.tolist()) for run in last.states)


def test_each_label_is_predicted_by_a_member_that_did_not_learn_from_it(material, monkeypatch):
    soft_labels = []
    monkeypatch.setattr(
        "lit_al.training.step_training.train",
        lambda model, tokens, labeled_sets, *rest: (
            soft_labels.append((model, labeled_sets)),
            train(model, tokens, labeled_sets, *rest),
        ),
    )
    for done in make_loop(material, strategy="entropy", recipe=replace(RECIPE, validation="cross:4")).rounds():
        (model, whole), (members, labeled_sets) = soft_labels[-2:]
        assert model is done.method.model
        assert members.net.size == len(labeled_sets) == 8
        for index, run in enumerate(done.states):
            assert set(whole[index].rows.tolist()) == set(run.labeled.tolist())
            called = dict(zip(run.validated.rows.tolist(), run.validated.right.tolist(), strict=True))
            assert set(called) == set(run.labeled.tolist())
            out = []
            for member in range(4 * index, 4 * index + 4):
                unseen = run.labeled[~np.isin(run.labeled, labeled_sets[member].rows)]
                out += unseen.tolist()
                batches = Batches(material[1], None, torch.from_numpy(unseen), 100)
                predicted = score(members.member(member), batches).argmax(axis=1)
                right = predicted == material[0].labels[unseen]
                assert [called[row] for row in unseen.tolist()] == right.tolist()
            assert sorted(out) == sorted(run.labeled.tolist())


def test_folds_change_neither_picks_nor_the_model(material):
    plain, crossed = (
        [*make_loop(material, strategy="entropy", recipe=replace(RECIPE, validation=validation)).rounds()][-1]
        for validation in ("none", "cross:3")
    )
    assert same_weights(plain, crossed)
    for one, other in zip(plain.states, crossed.states, strict=True):
        assert (one.labeled == other.labeled).all()
        assert one.validated is None
        assert len(other.validated.right) == 45


@pytest.mark.parametrize("validation", ["holdout:0.2", "cross:5"])
def test_validation_that_the_answers_are_too_few_for_is_refused(validation, material):
    oracle = ImperfectOracle(material[0].labels, uniform_noise(len(material[0].classes), 0.0), skip=0.93)
    with pytest.raises(ConfigError, match=f"validation {validation}"):
        list(make_loop(material, oracle, recipe=replace(RECIPE, validation=validation)).rounds())


def test_answers_none_to_learn_from_are_refused(material):
    oracle = ImperfectOracle(material[0].labels, uniform_noise(len(material[0].classes), 0.0), skip=0.9999)
    with pytest.raises(FitError, match="no label to learn from"):
        list(make_loop(material, oracle).rounds())


@pytest.mark.parametrize("steps", [4, 10, 23])
def test_lowest_loss_gives_each_member_its_best_look(steps, material, monkeypatch):
    loop = make_loop(material, recipe=replace(RECIPE, steps=steps, validation="holdout:0.3"))
    held, seen = [], []

    class Looking(LowestLoss):
        def _look(self, model):
            held[:] = self.held
            seen.append(weights(model))
            losses = super()._look(model)
            for member, labeled_set in enumerate(self.held):
                batches = Batches(loop.method.tokens, None, torch.from_numpy(labeled_set.rows), 7)
                given = score(model.member(member), batches)[range(len(labeled_set.rows)), labeled_set.answers]
                assert losses[member].item() == pytest.approx(-np.log(given).mean(), rel=1e-4)
            looks.append(losses)
            return losses

    looks = []
    loop.ask(loop.next_queries())
    short = _held(loop.states)[0]
    labeled_sets = [short, short.take(np.arange(len(short.rows)) < 2)]  # as after skips: of different lengths
    monkeypatch.setattr(step_training, "LowestLoss", Looking)
    loop.method._train(loop.method.model, 0, _labeled_sets(0, loop.states), labeled_sets)
    assert len(looks) == min(steps, 10)
    best = torch.stack(looks).argmin(dim=0)
    for index, weight in enumerate(weights(loop.method.model)):
        for member in range(2):
            assert torch.equal(weight[member], seen[best[member]][index][member])


def test_skipped_rows_leave_the_pool_without_a_label(material):
    labels = material[0].labels
    oracle = ImperfectOracle(labels, uniform_noise(len(material[0].classes), 0.0), skip=0.5)
    last = [*make_loop(material, oracle, strategy="entropy").rounds()][-1]
    for run in last.states:
        assert run.asked == SCHEDULE[-1]
        assert 0 < len(run.labeled) < run.asked
        assert len(run.pool) == len(POOL) - run.asked
    assert oracle.bill.asked == 2 * SCHEDULE[-1]


def test_controls_are_judged_before_they_are_learned(material):
    last = [*make_loop(material, strategy="entropy+random:0.5").rounds()][-1]
    for run in last.states:
        assert [(one.model, one.controls) for one in run.judgments] == [(0, 5), (1, 8)]
        assert [one.pool for one in run.judgments] == [len(POOL) - asked for asked in SCHEDULE[:2]]
        assert [one.controls + one.others for one in run.judgments] == np.diff(SCHEDULE).tolist()
        newest, drawn = run.judgments[-1], run.query.choice.controls
        assert newest.right == (run.query.predicted == run.query.said)[drawn].sum()
        assert newest.others_right == (run.query.predicted == run.query.said)[~drawn].sum()


@pytest.mark.parametrize("strategy", ["margin+balanced+random:0.2", "badge", "committee-vote"])
def test_what_is_proposed_is_what_would_be_asked_and_nothing_is(strategy, material):
    loop = make_loop(material, strategy=strategy)
    rounds = loop.rounds()
    next(rounds)
    before = [(run.asked, run.pool.tolist()) for run in loop.states]
    proposals, again = loop.propose(1, 10), loop.propose(1, 10)
    assert [(run.asked, run.pool.tolist()) for run in loop.states] == before
    next(rounds)
    for run, proposal, same in zip(loop.states, proposals, again, strict=True):
        assert (proposal.choice.rows == run.query.choice.rows).all()
        assert (same.choice.rows == run.query.choice.rows).all()
        assert proposal.probabilities.argmax(axis=1).tolist() == run.query.predicted.tolist()


def test_batches_are_chosen_one_from_what_the_other_left(material):
    loop = make_loop(material, strategy="entropy+random:0.5")
    first = loop.propose(0, 5, 10)[0].choice
    assert len(set(first.rows.tolist())) == 15
    next(loop.rounds())
    for run, proposal in zip(loop.states, loop.propose(1, 4, 8, 16), strict=True):
        rows, controls = proposal.choice.rows.tolist(), proposal.choice.controls
        assert len(set(rows)) == 28
        assert set(rows) <= set(run.pool.tolist())
        assert [int(part.sum()) for part in (controls[:4], controls[4:12], controls[12:])] == [2, 4, 8]


def test_whoever_labels_by_themselves_fits_without_an_oracle(material):
    corpus, tokens, words, _ = material
    method = StepTraining(tokens, words, corpus.classes, recipe=RECIPE, accelerator="cpu")
    loop = ActiveLoop(method, POOL, None, classes=len(corpus.classes), seeds=[7], schedule=range(1, 151))
    [run] = loop.states
    run.labeled, run.answers = POOL[:20], corpus.labels[:20]
    run.pool = POOL[20:]
    loop.fit(3)
    [proposal] = loop.propose(4, 10)
    assert set(proposal.choice.rows.tolist()) <= set(run.pool.tolist())


@pytest.mark.parametrize("guard", [True, False])
def test_guard_chooses_at_random_while_the_model_answers_one_class(guard, material, monkeypatch):
    monkeypatch.setattr("lit_al.loop.acquisition.collapsed", lambda probabilities: Collapse(0, 1.0))
    recipe = Recipe(steps=6, batch_size=16, guard=guard)
    for done in make_loop(material, strategy="entropy", recipe=recipe).rounds():
        for run in done.states:
            assert (run.query.collapse is not None) == (done.number > 0)
            assert run.query.choice.reasons[0].startswith("entropy") == (done.number > 0 and not guard)


@pytest.mark.parametrize("kind", ["fresh", "warm", "shrink"])
def test_weights_begin_a_round_as_told(kind, material):
    loop = make_loop(material, recipe=Recipe(steps=3, batch_size=8, weights=kind))
    begun = []
    train = loop.method._train
    loop.method._train = lambda model, *rest: (begun.append(weights(model)), train(model, *rest))[1]
    ended = [weights(done.method.model) for done in loop.rounds()]
    for number in (1, 2):
        before, start = ended[number - 1], begun[number]
        if kind == "warm":
            assert all(torch.equal(a, b) for a, b in zip(before, start, strict=True))
        elif kind == "shrink":
            for a, b in zip(before, start, strict=True):
                assert (b - a / 2).abs().max() < 0.06
                assert not torch.equal(b, a / 2)
        else:
            fresh = weights(loop.method.new_model(number))
            assert all(torch.equal(a, b) for a, b in zip(fresh, start, strict=True))
            assert not any(torch.equal(a, b) for a, b in zip(before[:1], start[:1], strict=True))


@pytest.mark.parametrize(("share", "averaged"), [(0.5, 3), (1.0, 6), (0.0, 1)])
def test_average_is_the_mean_of_the_last_steps(share, averaged, material):
    class Seen(L.Callback):
        def on_train_batch_end(self, trainer, pl_module, *_):
            self.seen.append(weights(pl_module))

    loop, steps = make_loop(material), Seen()
    steps.seen = []
    next(loop.rounds())
    run = loop.states[0]
    rows = torch.from_numpy(np.tile(run.labeled[:16], 6)).expand(2, -1)
    truth = torch.from_numpy(np.tile(run.answers[:16], 6)).expand(2, -1)
    off = dict.fromkeys(("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary"), False)
    trainer = L.Trainer(
        max_epochs=1, accelerator="cpu", callbacks=[steps, AveragedWeights(share)], limit_val_batches=0, **off
    )
    batches = Steps(loop.method.tokens, rows, truth, 16)
    trainer.fit(loop.method.model, batches)
    for index, weight in enumerate(weights(loop.method.model)):
        torch.testing.assert_close(weight, torch.stack([step[index] for step in steps.seen[-averaged:]]).mean(0))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"schedule": (20, 20)}, "must be whole numbers that grow"),
        ({"schedule": ()}, "must be whole numbers that grow"),
        ({"schedule": (0, 5)}, "must be whole numbers that grow"),
        ({"schedule": (20, 200)}, "asks for 200 labels but the pool has 150 rows"),
        ({"strategy": "entropyy"}, "entropy"),
        ({"recipe": Recipe(validation="holdout:0.01")}, "finds none of 20 labels to hold out"),
        ({"recipe": Recipe(validation="holdout:0.99")}, "finds none of 20 labels to learn from"),
        ({"recipe": Recipe(validation="cross:21")}, "has more folds than the first 20 labels"),
    ],
)
def test_settings_of_no_use_are_refused(options, message, material):
    with pytest.raises(ConfigError, match=message):
        make_loop(material, **options)


def test_missing_vectors_are_named(material):
    loop = make_loop(material, strategy="density", vectors=None)
    with pytest.raises(ConfigError, match="density needs text vectors"):
        list(loop.rounds())


@pytest.mark.parametrize("strategy", ["margin", "random"])
def test_labels_that_are_there_already_come_first_and_are_none_of_chance(strategy, material):
    start = np.array([9, 4, 77])
    loop = make_loop(material, strategy=strategy, start=start)
    run = next(loop.rounds()).states[0]
    assert run.labeled[:3].tolist() == start.tolist()
    assert len(set(run.labeled.tolist())) == run.asked == SCHEDULE[0]
    assert sorted(run.drawn.tolist()) == sorted(run.labeled[3:].tolist())
    all_there = make_loop(material, strategy=strategy, start=POOL[: SCHEDULE[0]])
    assert next(all_there.rounds()).states[0].labeled.tolist() == POOL[: SCHEDULE[0]].tolist()
