import random
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lit_al.data import CopyGroups
from lit_al.data.duplicates import plain_form

WORDS = [f"{first}{last}" for first in ("plo", "act", "sce", "vie", "bor", "gem") for last in ("t", "or", "ne", "wer")]


def similarity(one, two):
    padded = (f"\0\0\0\0{text}\0\0\0\0" for text in (one, two))
    one, two = ({text[place : place + 5] for place in range(len(text) - 4)} for text in padded)
    return len(one & two) / len(one | two)


def groups_by_hand(texts):
    """Every pair compared, and whoever is linked is of one group; empty texts are of none."""
    forms = [plain_form(text) for text in texts]
    group = list(range(len(texts)))
    for row, form in enumerate(forms):
        for other in range(row):
            if form and (form == forms[other] or similarity(form, forms[other]) >= 0.9):
                old, new = group[row], group[other]
                group = [new if number == old else number for number in group]
    return partition(group)


def partition(numbers):
    return {frozenset(np.flatnonzero(np.array(numbers) == number).tolist()) for number in set(numbers)}


@st.composite
def texts_with_copies(draw):
    """Texts of all lengths, and of some of them copies with a few signs changed."""
    texts = []
    for length in draw(st.lists(st.integers(0, 60), min_size=1, max_size=8)):
        text = " ".join(draw(st.lists(st.sampled_from(WORDS), min_size=length, max_size=length)))
        texts.append(text)
        for changes in draw(st.lists(st.integers(0, 4), max_size=3)):
            signs = list(text)
            for _ in range(changes if signs else 0):
                signs[draw(st.integers(0, len(signs) - 1))] = draw(st.sampled_from("xyz .!"))
            texts.append("".join(signs))
    return texts


@given(texts_with_copies())
@settings(max_examples=60, deadline=None)
def test_groups_are_those_that_all_pairs_make(texts):
    assert partition(CopyGroups.of(texts).numbers.tolist()) == groups_by_hand(texts)


@given(texts_with_copies(), st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_order_of_rows_does_not_matter(texts, rng):
    order = list(range(len(texts)))
    rng.shuffle(order)
    found, turned = (CopyGroups.of(one) for one in (texts, [texts[row] for row in order]))
    assert (found.exact, found.near) == (turned.exact, turned.near)
    moved = {frozenset(order[row] for row in group) for group in partition(turned.numbers.tolist())}
    assert moved == partition(found.numbers.tolist())


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("A fine gem", "a  FINE\tgem "),
        ("ﬁne", "fine"),
        ("cafe\u0301", "café"),
        ("Straße", "STRASSE"),
        ("ｆｕｌｌ　ｗｉｄｔｈ", "full width"),
    ],
)
def test_exact_copies_differ_in_case_white_space_and_ways_of_writing_alone(one, two):
    found = CopyGroups.of([one, two], "exact")
    assert (found.exact, found.near, len(set(found.numbers.tolist()))) == (1, 0, 1)


def test_short_texts_are_near_copies_of_nothing_that_says_the_opposite():
    pairs = [
        ("good film", "god film"),
        ("is it good?", "is it gone?"),
        ("I like it", "I do not like it"),
        ("ab", "abc"),
    ]
    pairs += [
        ("number 1 of the list of orders", "number 1 of the list of orders!"),
        ("text number 1", "text number 10"),
    ]
    for pair in pairs:
        assert CopyGroups.of(pair).extra == 0


def test_what_copies_are_is_for_the_user_to_say():
    long = (
        "the plot is thin and the actors seem to wait for the end of it as much as everybody else in the hall does. "
        * 2
    )
    texts = [long, long.upper(), long[:-1] + "!"]
    found = {kind: CopyGroups.of(texts, kind) for kind in ("near", "exact", "none")}
    assert {kind: (one.exact, one.near) for kind, one in found.items()} == {
        "near": (1, 1), "exact": (1, 0), "none": (0, 0)
    }  # fmt: skip
    assert found["near"].sentence("asked once") == "2 texts are copies of others, 1 of them a near copy: asked once"
    assert found["none"].sentence("asked once") == ""


def test_empty_texts_are_copies_of_nothing():
    assert CopyGroups.of(["", " ", "\n", "a"]).extra == 0


def test_the_compiled_loop_makes_the_same_sketches():
    from lit_al.data import near_copies, sketch_loop

    grams, starts = near_copies._grams([f"{word} and {word[::-1]} of it" for word in WORDS])
    rng = np.random.default_rng(0)
    numbers = [rng.integers(0, 1 << 32, near_copies._HASHES, dtype=np.uint32) for _ in range(2)]
    found = [np.full((len(WORDS), near_copies._HASHES), near_copies._FAR) for _ in range(2)]
    for fill, sketches in zip((near_copies._fill, sketch_loop.fill), found, strict=True):
        fill((grams >> np.uint64(32)).astype(np.uint32), starts, *numbers, sketches)
    assert (found[0] == found[1]).all()
    assert (found[0] < near_copies._FAR).all()


def test_time_grows_with_the_texts_also_where_all_are_of_one_template():
    """Each text of twice as many may take as long again, and a machine that is busy half as long on top."""
    rng = random.Random(0)
    template = (
        "dear customer, your order {} of the shop is not there; we refund {} euro within {} days, yours, the shop"
    )
    texts = [template.format(*(rng.randrange(10**6) for _ in range(3))) for _ in range(16_000)]
    CopyGroups.of(texts[:10])
    seconds = []
    for n in (4_000, 16_000):
        began = time.process_time()
        CopyGroups.of(texts[:n])
        seconds.append(time.process_time() - began)
    assert seconds[1] < 4 * 1.5 * seconds[0] + 0.5
