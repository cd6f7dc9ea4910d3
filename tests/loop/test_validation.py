import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lit_al.exceptions import ConfigError
from lit_al.loop.validation import CrossFit, HoldOut, make_validation


@pytest.mark.parametrize("text", ["holdout:0.2", "holdout:0.05", "cross:2", "cross:10"])
def test_spelling_is_read_back(text):
    assert str(make_validation(text)) == text
    assert make_validation(f" {text} ") == make_validation(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("holdout", "has no number that fits"),
        ("holdout:a", "has no number that fits"),
        ("holdout:nan", "must hold out a share"),
        ("holdout:0", "must hold out a share"),
        ("holdout:1", "must hold out a share"),
        ("cross:2.5", "has no number that fits"),
        ("cross:1", "needs 2 folds or more"),
        ("cross:-3", "needs 2 folds or more"),
        ("", "is unknown"),
        ("none:3", "is unknown"),
    ],
)
def test_what_cannot_be_is_refused(text, words):
    with pytest.raises(ConfigError, match=words):
        make_validation(text)


@given(st.floats(0.01, 0.99), st.lists(st.integers(0, 40), min_size=1, max_size=8), st.integers(0, 9))
def test_held_out_share_is_kept_over_batches_of_any_size(share, batches, seed):
    hold_out, rng, trained, held = HoldOut(share), np.random.default_rng(seed), 0, 0
    for n in batches:
        out = hold_out.draw(n, trained, held, rng)
        assert out.shape == (n,)
        trained, held = trained + int((~out).sum()), held + int(out.sum())
        assert held == round(share * (trained + held))


@given(st.integers(2, 12), st.integers(1, 90), st.integers(0, 9))
def test_folds_are_even_and_drawn(folds, n, seed):
    fold = CrossFit(folds).draw(np.arange(n), np.random.default_rng(seed))
    sizes = np.bincount(fold, minlength=folds)
    assert sizes.sum() == n
    assert len(sizes) == folds
    assert sizes.max() - sizes.min() <= 1
    assert (fold == CrossFit(folds).draw(np.arange(n), np.random.default_rng(seed))).all()


@given(st.integers(2, 6), st.lists(st.integers(0, 30), min_size=1, max_size=60), st.integers(0, 9))
def test_copies_of_a_text_share_a_fold_and_no_fold_is_empty(folds, texts, seed):
    numbers = np.unique(texts, return_inverse=True)[1]
    fold = CrossFit(folds).draw(numbers, np.random.default_rng(seed))
    if numbers.max() + 1 >= folds:
        assert all(len(set(fold[numbers == text].tolist())) == 1 for text in range(numbers.max() + 1))
    if len(texts) >= folds:
        assert set(fold.tolist()) == set(range(folds))
