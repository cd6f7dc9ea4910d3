"""The lean loop with every part of a recipe."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from lit_al.exceptions import ConfigError, FitError
from lit_al.loop import acquisition
from lit_al.loop.active_loop import ActiveLoop
from lit_al.models.batches import Batches
from lit_al.models.scoring import score
from lit_al.oracles import ImperfectOracle, SimulatedOracle, uniform_noise
from lit_al.strategies import Collapse
from lit_al.text.encoder import TextEncoder
from lit_al.training import step_training
from lit_al.training.pretraining import Pretraining, learn
from lit_al.training.recipe import Recipe, make_recipe
from lit_al.training.step_training import StepTraining, _labeled_sets
from lit_al.training.steps import LOOKS, FollowsBest, LowestLoss
from lit_al.training.teacher import SoftLabels

BASE = Recipe(steps=4, batch_size=16, study_steps=4, study_batch=32, guard=False, committee_size=2, draws=3)
POOL = np.arange(150)[::-1]  # in any order
SCHEDULE = (20, 30, 45)
RECIPES = [
    "scratch+vectors", "scratch+pretrain", "scratch+entropy", "lean", "lean-average+adversarial"
]  # fmt: skip


@pytest.fixture(params=[2, 3], scope="module")
def material(request, make_corpus):
    """Corpus, encoder, tokens and the priors that were learned from it; rows from 150 on are nobody's business."""
    corpus = make_corpus(classes=("negative", "neutral", "positive")[: request.param])
    encoder = TextEncoder.fit(corpus.texts, max_length=15)
    return corpus, encoder, torch.from_numpy(encoder.encode(corpus.texts)), {}


def make_loop(material, recipe, oracle=None, **options):
    corpus, encoder, tokens, priors = material
    base = replace(BASE, **options.pop("base", {}))
    if recipe not in priors:
        priors[recipe] = learn(make_recipe(recipe, base), corpus, POOL, encoder, tokens)
    pretraining = options.pop("pretraining", priors[recipe])
    method = StepTraining(
        tokens, len(encoder.vocabulary), corpus.classes, recipe=make_recipe(recipe, base), pretraining=pretraining,
        accelerator="cpu",
    )  # fmt: skip
    settings = {"seeds": [7, 8], "schedule": SCHEDULE, "strategy": "margin", "classes": len(corpus.classes)}
    return ActiveLoop(method, POOL, oracle or SimulatedOracle(corpus.labels), **{**settings, **options})


def weights(model):
    return [weight.detach().clone() for weight in model.parameters()]


def same_weights(one, other):
    pairs = zip(weights(one.method.model), weights(other.method.model), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


@pytest.mark.parametrize("recipe", RECIPES)
def test_loop_learns_and_goes_on_from_a_saved_state_as_if_never_stopped(recipe, material, tmp_path):
    whole = None
    for done, target in zip(make_loop(material, recipe).rounds(), SCHEDULE, strict=True):
        for run in done.states:
            assert len(set(run.labeled.tolist())) == target
            assert set(run.labeled.tolist()) <= set(POOL.tolist())
        assert all(torch.isfinite(weight).all() for weight in done.method.model.parameters())
        if done.number == 0:
            broken = make_loop(material, recipe)
            next(broken.rounds())
            torch.save(broken.state_dict(), tmp_path / "state.pt")
            assert same_weights(done, broken)
        whole = done
    resumed = make_loop(material, recipe)
    resumed.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    *_, last = resumed.rounds()
    for run, expected in zip(last.states, whole.states, strict=True):
        assert (run.labeled == expected.labeled).all()
        np.testing.assert_array_equal(run.query.probabilities, expected.query.probabilities)
    assert same_weights(last, whole)


@pytest.mark.parametrize("recipe", ["scratch+vectors", "scratch+pretrain", "lean"])
def test_every_round_begins_with_the_prior_and_otherwise_as_from_scratch(recipe, material):
    plain = "scratch+wide" if "lean" in recipe else "scratch"
    loop, scratch = make_loop(material, recipe), make_loop(material, plain, pretraining=None)
    for number in (0, 1, 2):
        model, plain = (each.method.new_model(number, 2) for each in (loop, scratch))
        assert model.net.size == 4
        for name, weight, drawn in zip(model.net.names, model.net.weights, plain.net.weights, strict=True):
            given = loop.method.pretraining.weights.get(name)
            assert torch.equal(weight, drawn if given is None else given.expand_as(weight)), name


def test_strategies_see_the_mean_of_student_and_teacher_and_a_committee_has_it_too(material, monkeypatch):
    seen = []
    look = StepTraining.look
    monkeypatch.setattr(StepTraining, "look", lambda *args: (seen.append(look(*args)), seen[-1])[1])
    corpus, _, tokens, _ = material
    loop = make_loop(material, "lean", strategy="committee-vote")
    rounds = loop.rounds()
    first = next(rounds)
    students, asked = first.method.model, [run.labeled for run in first.states]
    soft_labels = [loop.method._soft_labels(labeled_set) for labeled_set in _labeled_sets(0, loop.states)]
    next(rounds)
    [looked] = seen
    for member, (one, opinion) in enumerate(zip(looked, soft_labels, strict=True)):
        pool, alone = one.pool, one.probabilities
        assert not set(pool.rows.tolist()) & set(asked[member].tolist())
        student = score(students.member(member), Batches(tokens, None, torch.from_numpy(pool.rows.copy()), 50))
        np.testing.assert_allclose(alone, student, atol=1e-5)
        teacher = opinion.probabilities[pool.rows]
        np.testing.assert_allclose(pool.probabilities, (student + teacher) / 2, atol=1e-5)
        np.testing.assert_allclose(pool.probabilities.sum(axis=1), 1, rtol=1e-4)
        assert pool.committee.shape == (3, len(pool.rows), len(corpus.classes))
        np.testing.assert_array_equal(pool.committee[-1], teacher)


def test_controls_are_judged_by_the_model_alone(material):
    """The teacher errs always: whoever asks it calls no control right."""
    labels, classes = material[0].labels, len(material[0].classes)

    def lie(labeled_set):
        logits = 9.0 * np.eye(classes)[(labels + 1) % classes]
        return SoftLabels(logits, logits[labeled_set.rows], np.ones(2))

    loop = make_loop(material, "scratch+teacher", strategy="random")
    rounds = loop.rounds()
    students = next(rounds).method.model
    loop.method._soft_labels = lie
    next(rounds)
    for member, run in enumerate(loop.states):
        newest = run.query.choice.rows.copy()
        student = score(students.member(member), Batches(material[2], None, torch.from_numpy(newest), 50))
        np.testing.assert_allclose(run.query.probabilities, student, atol=1e-5)
        assert run.query.predicted.tolist() == student.argmax(axis=1).tolist()
        [judged] = run.judgments
        assert (judged.controls, judged.others) == (len(newest), 0)
        assert judged.right == (student.argmax(axis=1) == labels[newest]).sum()


def test_teacher_is_asked_once_for_the_same_labels(material, monkeypatch):
    asked = []
    real = step_training.teach
    monkeypatch.setattr(step_training, "teach", lambda *args, **more: (asked.append(args[1]), real(*args, **more))[1])
    for done in make_loop(material, "lean", strategy="committee-vote").rounds():
        assert [rows.tolist() for rows in asked[-2:]] == [run.labeled.tolist() for run in done.states]
    assert len(asked) == 2 * len(SCHEDULE)


def test_teacher_and_student_see_no_label_but_those_paid_for(material):
    """Labels that nobody asked for are turned round; picks and weights are the same."""
    corpus, last = material[0], None
    for _ in range(2):
        labels = corpus.labels.copy()
        if last:
            paid = np.concatenate([run.labeled for run in last.states])
            unpaid = ~np.isin(np.arange(len(labels)), paid)
            labels[unpaid] = (labels[unpaid] + 1) % len(corpus.classes)
        *_, done = make_loop(material, "lean", SimulatedOracle(labels)).rounds()
        if last:
            assert all((a.labeled == b.labeled).all() for a, b in zip(done.states, last.states, strict=True))
            assert same_weights(done, last)
        last = done


@pytest.mark.parametrize("validation", ["holdout:0.3", "cross:3"])
@pytest.mark.parametrize("recipe", ["lean", "scratch+adversarial"])
def test_validation_goes_with_studying(validation, recipe, material, monkeypatch):
    looked, given = [], []
    judge, assign = FollowsBest if recipe == "lean" else LowestLoss, step_training.assign
    look = judge._look
    monkeypatch.setattr(judge, "_look", lambda *args: (looked.append(args[0]), look(*args))[1])
    monkeypatch.setattr(step_training, "assign", lambda *args: (given.append(args[1]), assign(*args))[1])
    for done in make_loop(material, recipe, base={"validation": validation}).rounds():
        for index, run in enumerate(done.states):
            assert len(run.validated.rows) == (len(run.held) or len(run.labeled)) > 0
            unseen = set(run.validated.rows.tolist())
            if validation.startswith("holdout"):
                assert not unseen & set(given[-1][index].rows.tolist())
            else:
                members = given[-1][3 * index : 3 * index + 3]
                assert sorted(row for m in members for row in unseen - set(m.rows.tolist())) == sorted(unseen)
    steps = [
        BASE.for_labels(min(len(labeled_set.rows) for labeled_set in labeled_sets)).study_steps
        for labeled_sets in given
    ]
    if recipe == "lean":  # a student is looked at in each fit, by held-out labels or by what its teacher says
        assert len(looked) == len(given)
        for judged, labeled_sets in zip(looked, given, strict=True):
            assert not any(
                np.isin(rows, labeled_set.rows).any()
                for rows, labeled_set in zip(judged.rows, labeled_sets, strict=True)
            )
            by_labels = bool(((judged.targets == 0) | (judged.targets == 1)).all())
            assert by_labels == validation.startswith("holdout")
    else:
        assert len(looked) == (sum(min(LOOKS, number) for number in steps) if validation.startswith("holdout") else 0)


@pytest.mark.parametrize("recipe", ["lean", "scratch+entropy"])
def test_answers_none_to_learn_from_are_refused(recipe, material):
    oracle = ImperfectOracle(material[0].labels, uniform_noise(len(material[0].classes), 0.0), skip=0.9999)
    with pytest.raises(FitError, match="no label to learn from"):
        list(make_loop(material, recipe, oracle).rounds())


def test_skipped_texts_are_learned_from_without_a_label(material):
    oracle = ImperfectOracle(material[0].labels, uniform_noise(len(material[0].classes), 0.0), skip=0.5)
    *_, last = make_loop(material, "lean", oracle).rounds()
    assert all(0 < len(run.labeled) < run.asked == 45 for run in last.states)


def test_one_label_is_enough(material):
    for done in make_loop(material, "lean", schedule=(1, 2, 3)).rounds():
        assert all(torch.isfinite(weight).all() for weight in done.method.model.parameters())


def test_guard_looks_at_the_mean_of_model_and_teacher(material, monkeypatch):
    monkeypatch.setattr(acquisition, "collapsed", lambda probabilities: Collapse(0, 1.0))
    *_, last = make_loop(material, "lean", base={"guard": True}).rounds()
    assert not any(run.query.choice.reasons[0].startswith("margin") for run in last.states)


@pytest.mark.parametrize(
    "recipe", ["scratch+vectors", "scratch+pretrain", "scratch+teacher", "scratch+entropy", "lean"]
)
def test_recipe_without_the_prior_that_it_needs_is_refused_in_one_sentence(recipe, material):
    with pytest.raises(ConfigError, match=r"^this recipe learns from unlabeled texts; pass pretraining=learn") as error:
        make_loop(material, recipe, pretraining=None)
    assert "\n" not in str(error.value)
    if recipe != "scratch+entropy":  # which needs the rows alone
        with pytest.raises(ConfigError, match="pass pretraining=learn"):
            make_loop(material, recipe, pretraining=Pretraining(POOL))


def test_losses_of_a_fit_are_kept_as_a_curve(material):
    for kind in ("lean", "scratch"):
        for done in make_loop(material, kind).rounds():
            curve = done.method.record.curve
            assert 1 <= len(curve) <= 50
            assert all(np.isfinite(loss) and loss > 0 for loss in curve)
