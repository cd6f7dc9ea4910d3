import numpy as np
import pytest
from scipy import sparse
from scipy.special import softmax

from lit_al.text.tfidf import Features, View
from lit_al.training import teacher
from lit_al.training.teacher import PULL, prior_of, teach

PRIOR = np.array([1.5, 0.25])  # of a dense view and a sparse one


@pytest.fixture(params=[2, 3], scope="module")
def texts(request):
    """Features of 240 texts in two noisy views, and their labels."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, request.param, 240)
    views = [np.eye(size)[labels] + rng.normal(0, noise, (240, size)) for size, noise in ((4, 0.5), (9, 1.0))]
    dense, terms = (view.astype(np.float32) for view in views)
    features = Features((View("directions", dense), View("words", sparse.csr_matrix(terms))), np.arange(240))
    return features, labels, request.param


def assert_distributions(found, classes, texts=240):
    assert found.shape == (texts, classes)
    assert found.dtype == np.float32
    assert (found >= 0).all()
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("labels", [1, 2, 3, 7, 60])
def test_any_number_of_labels_gives_distributions(labels, texts):
    features, truth, classes = texts
    rows = np.arange(labels)
    soft_labels = teach(features, rows, truth[rows], classes, 0)
    assert_distributions(soft_labels.probabilities, classes)
    assert soft_labels.held_out.shape == (labels, classes)
    assert soft_labels.weights.shape == (2,)
    assert (soft_labels.weights >= 0).all()
    assert np.isfinite(soft_labels.logits).all()


def test_one_class_alone_is_taken_for_that_of_every_text(texts):
    features, truth, classes = texts
    rows = np.flatnonzero(truth == 1)[:8]
    soft_labels = teach(features, rows, truth[rows], classes, 0)
    assert_distributions(soft_labels.probabilities, classes)
    assert (soft_labels.probabilities[:, 1] > 0.99).all()


@pytest.mark.parametrize("texts", [3], indirect=True)
def test_class_without_a_label_is_next_to_impossible_and_the_others_keep_their_odds(texts):
    features, truth, _ = texts
    rows = np.flatnonzero(truth != 1)[:40]
    soft_labels = teach(features, rows, truth[rows], 3, 0)
    assert_distributions(soft_labels.probabilities, 3)
    assert (soft_labels.probabilities[:, 1] < 0.05).all()
    two = teach(features, rows, (truth[rows] > 0).astype(np.int64), 2, 0)
    odds, alone = (found.logits[:, -1] - found.logits[:, 0] for found in (soft_labels, two))
    assert np.corrcoef(odds, alone)[0, 1] > 0.99


def test_sixty_labels_teach(texts):
    features, truth, classes = texts
    soft_labels = teach(features, np.arange(60), truth[:60], classes, 0)
    assert (soft_labels.probabilities[60:].argmax(axis=1) == truth[60:]).mean() > 0.75


def test_same_seed_same_lesson(texts):
    features, truth, classes = texts
    first, again, other = (teach(features, np.arange(31), truth[:31], classes, seed) for seed in (4, 4, 5))
    np.testing.assert_array_equal(first.logits, again.logits)
    np.testing.assert_array_equal(first.held_out, again.held_out)
    assert (first.held_out != other.held_out).any()


def test_held_out_logits_come_from_models_that_had_not_seen_the_label(texts, monkeypatch):
    """With the weights of the two views fixed, for those are learned from all labels."""
    monkeypatch.setattr(teacher, "stacking_weights", lambda logits, answers, prior: np.array([1.0, 2.0]))
    features, truth, classes = texts
    rows = np.arange(40)
    before = teach(features, rows, truth[rows], classes, 0)
    for place in (0, 17, 39):
        lied = truth[rows].copy()
        lied[place] = (lied[place] + 1) % classes
        after = teach(features, rows, lied, classes, 0)
        np.testing.assert_array_equal(before.held_out[place], after.held_out[place])
        assert (before.held_out != after.held_out).any(axis=1).sum() >= 30  # all but those of its own fold
        assert (before.logits != after.logits).any()


def test_weights_are_the_best_of_a_grid():
    rng = np.random.default_rng(3)
    answers = rng.integers(0, 3, 50)
    for noises in ((1.5, 1.5), (1.2, 3.0), (9.0, 9.0)):
        logits = np.stack([np.eye(3)[answers] * 2 + rng.normal(0, noise, (50, 3)) for noise in noises])

        def loss(first, second, logits=logits):
            given = softmax(first * logits[0] + second * logits[1], axis=1)[np.arange(50), answers]
            return -np.log(given).sum() + PULL * ((first - PRIOR[0]) ** 2 + (second - PRIOR[1]) ** 2)

        found = teacher.stacking_weights(logits, answers, PRIOR)
        grid = np.arange(0, 4, 0.05)
        losses = np.array([[loss(first, second) for second in grid] for first in grid])
        best = np.unravel_index(losses.argmin(), losses.shape)
        assert loss(*found) <= losses.min() + 1e-9
        np.testing.assert_allclose(found, grid[list(best)], atol=0.051)


def test_views_that_say_nothing_leave_the_weights_as_believed_before():
    np.testing.assert_allclose(teacher.stacking_weights(np.zeros((2, 5, 3)), np.array([0, 1, 2, 0, 1]), PRIOR), PRIOR)


def test_view_that_always_errs_gets_no_weight():
    answers = np.arange(60) % 2
    logits = np.stack([np.eye(2)[answers], np.eye(2)[1 - answers] * 5])
    assert teacher.stacking_weights(logits, answers, PRIOR)[1] == 0


def test_views_of_a_kind_share_what_is_believed_of_it(texts):
    features, *_ = texts
    np.testing.assert_array_equal(prior_of(features.views), PRIOR)
    np.testing.assert_array_equal(prior_of((*features.views, *features.views)), [0.75, 0.125, 0.75, 0.125])
    np.testing.assert_array_equal(prior_of(features.views[:1]), [1.5])


def test_one_more_view_that_knows_the_answer_is_believed(texts):
    features, truth, classes = texts
    told = features.having("an encoder", np.eye(classes)[truth] * 7)
    rows = np.arange(30)
    before, after = (teach(each, rows, truth[rows], classes, 0) for each in (features, told))
    right = [(found.logits[30:].argmax(axis=1) == truth[30:]).mean() for found in (before, after)]
    assert right[1] == 1.0 > right[0]
    assert after.weights[2] == after.weights.max()


def test_rare_class_is_passed_over_unless_classes_weigh_the_same(texts):
    features, truth, classes = texts
    rare = np.flatnonzero(truth == 0)[:3]
    rows = np.concatenate([rare, np.flatnonzero(truth != 0)[:60]])
    rest = np.setdiff1d(np.arange(240), rows)
    called = {
        weight: (teach(features, rows, truth[rows], classes, 0, weight).logits[rest].argmax(axis=1) == 0).sum()
        for weight in ("balanced", "none")
    }
    assert called["balanced"] > called["none"]


def test_terms_that_no_labeled_text_holds_need_not_be_there(texts):
    """The penalty keeps their weights at 0, so that leaving them out changes rounding alone."""
    features, truth, classes = texts
    words = features.views[1].matrix
    padded = sparse.hstack([words, sparse.random(240, 50, 0.1, random_state=0)], format="csr").astype(np.float32)
    rows = np.arange(40)
    padded = padded.tolil()
    padded[rows, words.shape[1] :] = 0
    padded = padded.tocsr()
    both = [Features((features.views[0], View("words", each)), features.order) for each in (words, padded)]
    first, second = (teach(each, rows, truth[rows], classes, 0).logits for each in both)
    np.testing.assert_allclose(first, second, atol=1e-4)


def test_class_of_a_single_label_says_nothing_of_the_views(texts, monkeypatch):
    """No fold that leaves it out knows the class, so that every view errs."""
    features, truth, classes = texts
    rows = np.concatenate([np.flatnonzero(truth == 0)[:1], np.flatnonzero(truth != 0)[:30]])
    judged = []
    stack = teacher.stacking_weights
    monkeypatch.setattr(teacher, "stacking_weights", lambda *args: (judged.append(args[1]), stack(*args))[1])
    teach(features, rows, truth[rows], classes, 0)
    np.testing.assert_array_equal(judged[0], truth[rows[1:]])


def test_more_classes_than_labels_are_no_reason_to_warn(texts, recwarn):
    features, _, _ = texts
    teach(features, np.arange(12), np.arange(12) % 9, 9, 0)
    assert not [warning for warning in recwarn if "unique classes" in str(warning.message)]


@pytest.mark.parametrize("texts", [2, 3], indirect=True)
def test_regression_on_inner_products_is_the_one_on_the_numbers_themselves(texts, monkeypatch):
    """Few texts of many numbers, copies among them, learned to the end both ways."""
    _, truth, classes = texts
    rng = np.random.default_rng(1)
    dense = (np.eye(classes)[truth] @ rng.normal(0, 1, (classes, 90)) + rng.normal(0, 1, (240, 90))).astype(np.float32)
    dense /= np.linalg.norm(dense, axis=1, keepdims=True)
    dense[3] = dense[7]
    terms = sparse.csr_matrix(np.where(np.abs(dense) > 0.1, dense, 0)).astype(np.float32)
    features = Features((View("directions", dense), View("words", terms)), rng.permutation(240))
    rows = np.arange(40)
    monkeypatch.setattr(teacher, "TOLERANCE", 1e-6)
    ours = teach(features, rows, truth[rows], classes, 0)
    monkeypatch.setattr(teacher, "MOST_TEXTS", 0)
    plain = teach(features, rows, truth[rows], classes, 0)
    np.testing.assert_allclose(ours.logits, plain.logits, atol=0.02)
    np.testing.assert_allclose(ours.held_out, plain.held_out, atol=0.02)
    np.testing.assert_allclose(ours.weights, plain.weights, atol=0.01)
    sums = sum(view.matrix @ weights + bias for view, (weights, bias) in zip(features.views, ours.shares, strict=True))
    np.testing.assert_allclose(sums, ours.logits, atol=1e-4)


@pytest.mark.parametrize(("labels", "templates"), [(150, 20), (150, 60), (400, 3)])
@pytest.mark.parametrize("as_view", [np.asarray, sparse.csr_matrix])
def test_texts_of_few_templates_teach_as_others_do(labels, templates, as_view):
    """Their inner products have hardly more rank than there are templates."""
    rng = np.random.default_rng(0)
    kinds = rng.integers(0, templates, labels)
    rows = rng.standard_normal((templates, 450))[kinds] + 1e-4 * rng.standard_normal((labels, 450))
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    features = Features((View("words", as_view(rows)),), np.arange(labels))
    taught = teach(features, np.arange(labels), kinds % 2, 2, 0)
    assert (taught.logits.argmax(axis=1) == kinds % 2).all()
    weights, bias = taught.shares[0]
    np.testing.assert_allclose(features.views[0].matrix @ weights + bias, taught.logits, atol=1e-3)


def test_copies_share_a_fold_so_that_none_tells_the_label_of_another(texts, monkeypatch):
    monkeypatch.setattr(teacher, "stacking_weights", lambda logits, answers, prior: np.array([1.0, 2.0]))
    features, truth, classes = texts
    rows = np.arange(40)
    copies = np.arange(40)
    copies[20:] = np.arange(20)  # each text twice
    before = teach(features, rows, truth[rows], classes, 0, copies=copies)
    lied = truth[rows].copy()
    lied[3] = (lied[3] + 1) % classes
    after = teach(features, rows, lied, classes, 0, copies=copies)
    np.testing.assert_array_equal(before.held_out[[3, 23]], after.held_out[[3, 23]])
    one = teach(features, rows[:2], truth[:2], classes, 0, copies=np.zeros(2, np.int64))
    assert np.isfinite(one.logits).all()
