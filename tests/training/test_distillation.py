import copy
from dataclasses import replace

import lightning as L
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import softmax
from torch.nn import functional as F

from lit_al.models.ensemble import LitCommittee
from lit_al.training.distillation import (
    CLEAR,
    PROBE,
    STEP,
    SoftBatches,
    Student,
    assign,
    drop_words,
    entropy,
    log_probabilities,
    reserve,
    sharpness,
    soften,
    study,
    virtual_adversarial_loss,
)
from lit_al.training.recipe import Recipe
from lit_al.training.steps import AveragedWeights, FollowsBest, LabeledSet
from lit_al.training.teacher import SoftLabels
from lit_al.training.word_rows import WordRows

SIZES = {"vocabulary_size": 30, "embedding_size": 8, "hidden_size": 4, "dense_size": 5}
RECIPE = Recipe(study_steps=5, study_batch=16, average=0.0)


@pytest.fixture(params=[2, 3])
def classes(request):
    return [f"class {number}" for number in range(request.param)]


@pytest.fixture
def model(classes):
    return LitCommittee([3, 1], classes, **SIZES)


@pytest.fixture
def tokens():
    """(60, 9) ids, padded at the end."""
    ids = torch.randint(2, 30, (60, 9), generator=torch.Generator().manual_seed(0))
    lengths = torch.arange(60) % 8 + 2
    return ids.masked_fill(torch.arange(9) >= lengths[:, None], 0).to(torch.uint16)


def labeled_sets(*numbers):
    rows = np.arange(0, 60, 3)[::-1]  # in the order of labeling, not of the corpus
    return [LabeledSet(rows[:number], rows[:number] // 3 % 2, seed) for seed, number in enumerate(numbers)]


def opinion(classes, seed, labels=7):
    logits = np.random.default_rng(seed).normal(size=(60, classes))
    return SoftLabels(logits, np.random.default_rng(seed + 9).normal(size=(labels, classes)), np.ones(2))


# --- What is to be learned --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("soft_labels", [True, False])
def test_labels_are_learned_from_where_there_are_any_and_the_teacher_elsewhere(classes, soft_labels):
    rows = np.arange(0, 60, 1)[:58]
    given, opinions = labeled_sets(7, 4), [opinion(classes, 0, 7), opinion(classes, 1, 4)] if soft_labels else None
    texts, targets = assign(rows, given, classes, opinions)
    assert texts.dtype == np.int64
    assert targets.dtype == np.float32
    assert targets.shape == (*texts.shape, classes)
    for member, labeled_set in enumerate(given):
        truth = dict(zip(labeled_set.rows.tolist(), np.eye(classes)[labeled_set.answers], strict=True))
        if soft_labels:  # a label is mixed with what the teacher, who had not seen it, makes of the text
            held_out = torch.from_numpy(opinions[member].held_out).softmax(dim=1).numpy()
            truth = {row: (label + held) / 2 for (row, label), held in zip(truth.items(), held_out, strict=True)}
        assert sorted(set(texts[member].tolist())) == rows.tolist()
        for row, target in zip(texts[member].tolist(), targets[member], strict=True):
            if row in truth:
                np.testing.assert_allclose(target, truth[row], rtol=1e-6)
            elif soft_labels:
                np.testing.assert_array_equal(target, opinions[member].probabilities[row])
            else:
                assert not target.any()


@pytest.mark.parametrize(("soft_labels", "share"), [(True, 0.1), (False, 0.5)])
def test_labels_are_repeated_as_often_as_makes_their_share_each_as_often_as_any_other(soft_labels, share):
    rows = np.arange(60)
    texts, _ = assign(rows, labeled_sets(7, 20), 2, [opinion(2, 0, 7), opinion(2, 1, 20)] if soft_labels else None)
    for member, labeled_set in enumerate(labeled_sets(7, 20)):
        repeated = texts[member, 60:]
        assert len(repeated) / texts.shape[1] == pytest.approx(share, abs=0.01)
        counts = [(repeated == row).sum() for row in labeled_set.rows]
        assert sum(counts) == len(repeated)
        assert max(counts) - min(counts) <= 1


def test_rows_in_any_order_get_their_own_targets():
    rows = np.random.default_rng(0).permutation(60)
    opinions = [opinion(2, 0, 9)]
    texts, targets = assign(rows, labeled_sets(9), 2, opinions)
    in_order = assign(np.arange(60), labeled_sets(9), 2, opinions)
    found = {row: target.tolist() for row, target in zip(texts[0].tolist(), targets[0], strict=True)}
    assert found == {row: target.tolist() for row, target in zip(in_order[0][0].tolist(), in_order[1][0], strict=True)}


# --- Batches ----------------------------------------------------------------------------------------------------------


def make_batches(members, texts, size, steps, *, by_length=False, seed=0):
    """Texts whose first word is their row and whose target says it too."""
    lengths = np.random.default_rng(0).integers(1, 12, texts)
    tokens = np.where(np.arange(12) < lengths[:, None], np.arange(texts)[:, None] + 1, 0).astype(np.uint16)
    rows = np.stack([np.random.default_rng(member).permutation(texts) for member in range(members)])
    targets = np.repeat(rows[..., None], 2, axis=-1).astype(np.float32)
    rng = np.random.default_rng(seed)
    return SoftBatches(torch.from_numpy(tokens), rows, targets, size, steps, rng, by_length)


@given(st.integers(1, 3), st.integers(1, 40), st.integers(1, 50), st.integers(1, 12), st.booleans())
def test_so_many_batches_and_each_text_once_in_a_pass(members, texts, size, steps, by_length):
    batches = make_batches(members, texts, size, steps, by_length=by_length)
    found = [*batches]
    assert len(found) == len(batches) == steps
    each = min(size, texts)
    for tokens, targets in found:
        assert tokens.shape[:2] == (members, each)
        longest = int((tokens.to(torch.int32) != 0).sum(-1).max())  # no padding beyond it, where lengths count
        assert tokens.shape[2] == (longest if by_length else 12)
        assert tokens.dtype == torch.uint16
        assert targets.shape == (members, each, 2)
        assert torch.equal(tokens[..., 0].float() - 1, targets[..., 0])  # a text goes with its own target
    whole = texts // each  # batches of a pass
    for first in range(0, steps, whole):
        met = torch.cat([targets[..., 0] for _, targets in found[first : first + whole]], dim=1)
        for member in met.tolist():
            assert len(set(member)) == len(member)
            assert len(member) == texts - texts % each or first + whole > steps


def test_members_and_passes_have_orders_of_their_own_that_depend_on_the_seed():
    def order(seed=0):
        return torch.cat([targets[..., 0] for _, targets in make_batches(2, 30, 10, 6, seed=seed)], dim=1)

    found = order()
    assert (found[0] != found[1]).any()
    assert (found[:, :30] != found[:, 30:]).any(dim=1).all()
    assert torch.equal(order(), found)
    assert (order(seed=1) != found).any()


def test_texts_of_like_length_are_side_by_side_where_asked():
    spreads = []
    for by_length in (True, False):
        lengths = [(tokens != 0).sum(dim=-1).float() for tokens, _ in make_batches(2, 300, 30, 10, by_length=by_length)]
        spreads.append(torch.stack([each.std(dim=1).mean() for each in lengths]).mean())
    assert spreads[0] < spreads[1] / 4


# --- Losses -----------------------------------------------------------------------------------------------------------


def test_dropped_words_are_unknown_and_padding_stays(tokens):
    torch.manual_seed(0)
    many = tokens.repeat(40, 1)
    dropped = drop_words(many, 0.3)
    words = many.int() != 0
    assert torch.equal(dropped[~words], many.int()[~words])
    assert set(dropped[words][dropped[words] != many.int()[words]].tolist()) == {1}
    assert (dropped[words] == 1).float().mean().item() == pytest.approx(0.3, abs=0.02)
    assert drop_words(tokens, 0.0) is tokens


def test_entropy_is_that_of_the_textbook(classes):
    logits = torch.randn(2, 7, len(classes)) * 3
    if len(classes) == 2:
        logits = logits[..., 0]
    shares = LitCommittee.probabilities(logits)
    torch.testing.assert_close(log_probabilities(logits).exp(), shares)
    torch.testing.assert_close(entropy(logits), -(shares * shares.log()).sum(dim=-1))
    assert entropy(torch.zeros_like(logits)).mean().item() == pytest.approx(np.log(len(classes)), rel=1e-5)
    certain = torch.full_like(logits, -500.0) if logits.ndim == 2 else torch.eye(3)[0].expand(2, 7, 3) * 900
    assert (entropy(certain) == 0).all()  # and no number such as 0 * -inf


def by_member(model, tokens, seed):
    """The same from the paper, one network at a time and with gradients of everything."""
    torch.manual_seed(seed)
    noise = torch.randn(model.net.weights[0].shape)
    total = 0.0
    for member in range(model.net.size):
        net = model.member(member).net.eval()
        table, text = net.embedding.weight.detach().clone(), tokens[member]
        lengths = table.norm(dim=1, keepdim=True)

        def predicted(moved, net=net, text=text):
            pooled = net.lstm(text, moved)
            logits = net.logits_of(torch.relu(net.dense(pooled)))
            return F.log_softmax(logits if logits.ndim == 2 else torch.stack([0 * logits, logits], dim=-1), dim=-1)

        expected = predicted(table).detach()
        probe = (F.normalize(noise[member], dim=1) * lengths * PROBE).requires_grad_()
        divergence = F.kl_div(predicted(table + probe), expected, log_target=True, reduction="batchmean")
        [direction] = torch.autograd.grad(divergence, probe)
        against = F.normalize(direction, dim=1) * lengths * STEP
        total += F.kl_div(predicted(table + against), expected, log_target=True, reduction="batchmean").item()
    return total


def roused(model):
    """With weights large enough that predictions differ."""
    with torch.no_grad():
        for name, weight in zip(model.net.names, model.net.weights, strict=True):
            if name.startswith(("embedding", "head", "dense")):
                weight.mul_(3).add_(torch.randn_like(weight) * 0.3)
    return model


def test_adversarial_loss_is_that_of_a_loop_over_members(model, tokens):
    own = torch.stack([tokens[:20], tokens[20:40]])
    roused(model)
    expected = by_member(model, own, 5)
    torch.manual_seed(5)
    assert virtual_adversarial_loss(model.net, model.net.table, own).item() == pytest.approx(expected, rel=0.02)
    assert expected > 1e-6


def test_adversarial_step_changes_more_than_a_random_one(model, tokens):
    own = tokens.expand(2, -1, -1)
    net = roused(model).net.eval()
    torch.manual_seed(0)
    worst = virtual_adversarial_loss(net, net.table, own).item()
    with torch.no_grad():
        expected, table = log_probabilities(net(own)), net.weights[0].clone()
        random = []
        for _ in range(5):
            net.weights[0].copy_(
                table + F.normalize(torch.randn_like(table), dim=-1) * table.norm(dim=-1)[..., None] * STEP
            )
            logs = log_probabilities(net(own))
            random.append((expected.exp() * (expected - logs)).sum(-1).mean(1).sum().item())
    assert worst > 2 * max(random)


def test_constant_network_cannot_be_moved(model, tokens):
    with torch.no_grad():
        model.net.weights[model.net.names.index("head.weight")].zero_()
    loss = virtual_adversarial_loss(model.net, model.net.table, tokens.expand(2, -1, -1))
    assert loss.item() == 0
    loss.backward()
    assert all(torch.isfinite(weight.grad).all() for weight in model.net.weights if weight.grad is not None)


@pytest.mark.parametrize("training", [True, False])
def test_adversarial_loss_reaches_all_weights_and_leaves_nothing_behind(training, model, tokens):
    net = roused(model).net.train(training)
    before = copy.deepcopy(net.state_dict())
    loss = virtual_adversarial_loss(net, net.table, tokens.expand(2, -1, -1))
    assert loss.item() > 0
    assert net.training is net.dropout.training is training
    assert all(weight.grad is None for weight in net.weights)
    assert all(torch.equal(weight, before[name]) for name, weight in net.state_dict().items())
    loss.backward()
    for name, weight in zip(net.names, net.weights, strict=True):
        assert weight.grad is not None, name
        assert name == "head.bias" or weight.grad.abs().sum() > 0, name
    words = tokens.long().unique()
    unread = torch.ones(30, dtype=torch.bool).index_fill(0, words, False)
    assert not net.weights[0].grad[:, unread].any()


def test_masked_padding_is_no_adversary(classes, tokens):
    model = roused(LitCommittee([3], classes, **SIZES, masked=True))
    losses = []
    for text in (tokens[None, :10, :], F.pad(tokens[None, :10].int(), (0, 5))):
        torch.manual_seed(1)
        losses.append(virtual_adversarial_loss(model.net, model.net.table, text).item())
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)


# --- Study ------------------------------------------------------------------------------------------------------------


def targets_of(classes):
    rows = np.stack([np.arange(60), np.arange(60)[::-1]])
    return rows, np.eye(classes, dtype=np.float32)[rows % classes]


def test_loss_is_the_cross_entropy_with_the_targets_and_whatever_the_recipe_adds(model, classes, tokens):
    rows, targets = targets_of(len(classes))
    targets[:, ::4] = 0  # nothing is known of these
    batch = tokens[torch.from_numpy(rows)], torch.from_numpy(targets)
    roused(model).eval()
    plain = Student(model, RECIPE).training_step(batch, 0)
    logs = log_probabilities(model(batch[0]))
    labels, known = batch[1].argmax(-1), batch[1].sum(-1) > 0
    expected = sum(F.nll_loss(logs[m][known[m]], labels[m][known[m]], reduction="sum") / 60 for m in range(2))
    torch.testing.assert_close(plain, expected)
    with_entropy = Student(model, replace(RECIPE, entropy=0.5)).training_step(batch, 0)
    torch.testing.assert_close(with_entropy, plain + 0.5 * entropy(model(batch[0])).mean(dim=1).sum())
    words = WordRows(model.net.table)
    places = words.take(batch[0])
    torch.manual_seed(2)
    adversary = virtual_adversarial_loss(model.net, words.rows, places)
    torch.manual_seed(2)
    with_all = Student(model, replace(RECIPE, entropy=0.5, adversarial=2.0)).training_step(batch, 0)
    torch.testing.assert_close(with_all, with_entropy + 2 * adversary)


@pytest.mark.parametrize("masked", [False, True])
def test_study_takes_its_steps_and_is_the_same_for_the_same_seed(masked, classes, tokens):
    class Counted(L.Callback):
        steps = 0

        def on_train_end(self, trainer, pl_module):
            Counted.steps = trainer.global_step

    ended = []
    for seed in (4, 4, 5):
        model = LitCommittee([3, 1], classes, **SIZES, masked=masked)
        recipe = replace(RECIPE, adversarial=1.0, entropy=0.1, word_dropout=0.1)
        study(model, tokens, *targets_of(len(classes)), recipe, Counted(), seed, "cpu")
        assert Counted.steps == 5
        ended.append([weight.detach().clone() for weight in model.parameters()])
    assert all(torch.equal(a, b) for a, b in zip(ended[0], ended[1], strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(ended[0], ended[2], strict=True))


def test_members_that_study_side_by_side_learn_what_each_would_alone(classes, tokens):
    """But for dropout, and the draws of the passes: one batch holds all texts."""
    rows, targets = targets_of(len(classes))
    recipe = replace(RECIPE, study_batch=60, study_steps=4)
    model = LitCommittee([3, 1], classes, **SIZES, dropout=0.0)
    study(model, tokens, rows, targets, recipe, AveragedWeights(0.5), 0, "cpu")
    for member, seed in enumerate([3, 1]):
        alone = LitCommittee([seed], classes, **SIZES, dropout=0.0)
        study(alone, tokens, rows[member][None], targets[member][None], recipe, AveragedWeights(0.5), 0, "cpu")
        for both, one in zip(model.net.weights, alone.net.weights, strict=True):
            torch.testing.assert_close(both[member], one[0], rtol=1e-3, atol=1e-4)


def test_soft_targets_are_learned(classes):
    """A text is of the class that its first word says, three times in four."""
    rng = np.random.default_rng(0)
    ids = rng.integers(10, 30, (200, 9))
    truth = np.arange(200) % len(classes)
    ids[:, 0] = 2 + truth
    targets = np.full((1, 200, len(classes)), 0.25 / (len(classes) - 1), np.float32)
    targets[0, np.arange(200), truth] = 0.75
    model = LitCommittee([0], classes, **SIZES, dropout=0.0, learning_rate=0.01)
    recipe = replace(RECIPE, study_batch=50, study_steps=150, average=0.2)
    tokens = torch.from_numpy(ids.astype(np.uint16))
    study(model, tokens, np.arange(200)[None], targets, recipe, AveragedWeights(0.2), 0, "cpu")
    model.eval()
    with torch.no_grad():
        found = log_probabilities(model(tokens[None].int())).exp()[0, np.arange(200), truth]
    assert found.mean().item() == pytest.approx(0.75, abs=0.1)


def test_reserved_texts_have_no_label_and_are_learned_from_by_nobody_who_reserved_them():
    rows = np.random.default_rng(0).permutation(60)
    given = labeled_sets(7, 20)
    opinions = [opinion(2, 0, 7), opinion(2, 1, 20)]
    reserved, targets = reserve(rows, given, opinions)
    assert reserved.shape == (2, 6)
    texts, _ = assign(rows, given, 2, opinions, reserved)
    for member, labeled_set in enumerate(given):
        assert not np.isin(reserved[member], labeled_set.rows).any()
        assert not np.isin(reserved[member], texts[member]).any()
        assert set(reserved[member]) | set(texts[member]) == set(range(60))
        np.testing.assert_array_equal(targets[member], opinions[member].probabilities[reserved[member]])


def test_nothing_is_reserved_where_every_text_has_a_label():
    every = LabeledSet(np.arange(60), np.arange(60) % 2)
    assert reserve(np.arange(60), [every], [opinion(2, 0, 60)]) is None


def followed(classes, steps, seeds=(0,)):
    """A student of targets that the first word says, as far as they can be told, and the callback that looked at it."""
    rng = np.random.default_rng(0)
    ids = rng.integers(10, 30, (400, 9))
    truth = np.arange(400) % len(classes)
    ids[:, 0] = 2 + truth
    targets = np.full((400, len(classes)), 0.1 / (len(classes) - 1), np.float32)
    targets[np.arange(400), truth] = 0.9
    targets = 0.7 * targets + 0.3 * rng.dirichlet(np.ones(len(classes)), 400).astype(np.float32)
    tokens, rows = torch.from_numpy(ids.astype(np.uint16)), np.arange(400)
    model = LitCommittee(seeds, classes, **SIZES, dropout=0.0, learning_rate=0.01)
    many = len(seeds)
    held = np.repeat(rows[None, :60], many, axis=0)
    keep = FollowsBest(tokens, held, np.repeat(targets[None, :60], many, axis=0))
    recipe = replace(RECIPE, study_batch=340, study_steps=steps)
    learned = np.repeat(rows[None, 60:], many, axis=0), np.repeat(targets[None, 60:], many, axis=0)
    study(model, tokens, *learned, recipe, keep, 0, "cpu")
    return model, keep


def test_student_that_follows_no_better_stops(classes):
    _, keep = followed(classes, 5_000)
    assert keep.distances[0] < 0.1
    assert len(keep.losses) < 2_500
    assert keep.samples == 340 * len(keep.losses)


def test_student_takes_no_more_than_its_steps_and_is_judged_at_the_end(classes):
    _, keep = followed(classes, 7)
    assert len(keep.losses) == 7
    assert torch.isfinite(keep.distances).all()


def test_members_follow_side_by_side_as_each_would_alone(classes):
    """One batch holds all texts, so that the draws of a pass do not matter."""
    _, both = followed(classes, 3_000, seeds=(0, 5))
    alone = [followed(classes, 3_000, seeds=(seed,))[1] for seed in (0, 5)]
    for member, keep in enumerate(alone):
        assert both.distances[member].item() == pytest.approx(keep.distances[0].item(), rel=0.1)
        assert len(both.losses) >= len(keep.losses) - 100


def test_distance_is_the_divergence_of_the_weights_that_are_kept(classes):
    model, keep = followed(classes, 120)
    model.eval()
    with torch.no_grad():
        logs = log_probabilities(model(keep.tokens[keep.rows].int())).double()
    expected = (keep.targets.double() * (keep.targets.double().log() - logs)).sum(-1).mean(-1)
    torch.testing.assert_close(keep.distances, expected, rtol=1e-4, atol=1e-6)


def test_lesson_is_sharpened_until_its_answers_are_clear():
    logits = np.random.default_rng(0).normal(size=(300, 40)) / 10
    factor = sharpness(logits)
    assert softmax(factor * logits, axis=1).max(axis=1).mean() == pytest.approx(CLEAR, abs=0.01)
    assert sharpness(logits * factor * 1.01) == 1.0
    assert sharpness(np.zeros((5, 3))) == 1.0  # nothing is meant, however loud it is said


@pytest.mark.parametrize("factors", [(1.0, 4.0)])
def test_softened_members_give_the_same_answers_with_logits_divided(classes, tokens, factors):
    model = LitCommittee([3, 1], classes, **SIZES)
    model.eval()
    ids = tokens[torch.arange(20)[None].expand(2, -1)].int()
    with torch.no_grad():
        before = model(ids)
        soften(model, factors)
        after = model(ids)
    for member, factor in enumerate(factors):
        torch.testing.assert_close(after[member] * factor, before[member])
