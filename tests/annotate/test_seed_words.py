"""Seed words: first texts of rare classes, by turns with random ones."""

import numpy as np
import pytest

from lit_al.annotate.heartbeat import Pulse
from lit_al.annotate.seed_words import STRATEGY, held, read_seed_words, seeded, without_texts
from lit_al.annotate.trainer import Trainer
from lit_al.exceptions import ConfigError
from lit_al.record import Ranked

TEXTS = ["free money now", "money", "freedom", "Free MONEY, win", "hello", "so", "it", "goes"]


@pytest.mark.parametrize(
    ("spelling", "why"),
    [
        ("free", "is not CLASS:WORD"),
        ("spam:", "is not CLASS:WORD"),
        ("spm:a", "did you mean 'spam'"),
        ("", "names no words"),
    ],
)
def test_what_is_no_spelling_is_refused(spelling, why):
    with pytest.raises(ConfigError, match=why):
        read_seed_words(spelling, ("spam", "ham"))


def test_words_are_found_whole_in_any_case_and_anywhere_where_there_are_no_spaces():
    assert held(["free", "money", "win"], TEXTS) == [2, 1, 0, 3, 0, 0, 0, 0]
    assert held(["差评"], ["真的差评啊", "好吃"]) == [1, 0]
    assert held(["ﬁne  art"], ["Fine art!"]) == [1]
    assert without_texts({"spam": ("free", "pills"), "ham": ("nowhere",)}, TEXTS) == ["pills", "nowhere"]


def test_texts_with_words_and_random_ones_take_turns_and_random_ones_are_controls():
    drawn = [Ranked(place, 0.0) for place in (4, 3, 5, 6, 7, 2)]
    order = [7, 6, 5, 4, 3, 2, 1, 0]
    found = seeded(
        drawn, TEXTS, {"spam": ("free", "money", "win"), "ham": ("hello",)}, [place for place in order if place != 1]
    )
    assert [one.item for one in found] == [3, 4, 0, 5, 6, 7]
    assert [one.control for one in found] == [False, True, False, True, True, True]
    assert found[0].reason == "holds 3 seed words of spam"


@pytest.mark.parametrize("shuffle", [0, 1])
def test_the_order_of_rows_does_not_matter(shuffle):
    rng = np.random.default_rng(shuffle)
    places = rng.permutation(len(TEXTS))  # where each text stands in another file
    texts = [""] * len(TEXTS)
    for text, place in zip(TEXTS, places.tolist(), strict=True):
        texts[place] = text
    order = [places[one] for one in (7, 3, 5, 1, 6, 2, 4, 0)]  # by seed and text
    drawn = [Ranked(int(places[one]), 0.0) for one in (4, 5, 6)]
    found = seeded(drawn, texts, {"spam": ("free", "money")}, [int(one) for one in order])
    assert [texts[one.item] for one in found] == ["Free MONEY, win", "hello", "free money now"]


def test_a_run_asks_texts_with_seed_words_first_and_every_other_one_at_random(make_run):
    run = make_run(seed_words="negative:dull")
    trainer = Trainer(run.folder, run.record, Pulse(run.record))
    trainer.turn(run.record.last_seq())
    newest = run.record.newest_generation()
    ranked, texts = run.record.ranked(newest.id), {item.id: item.text for item in run.record.items()}
    assert newest.strategy == STRATEGY
    by_words = [one for one in ranked if one.reason.startswith("holds")]
    assert by_words
    assert all("dull" in texts[one.item].casefold() for one in by_words)
    assert not any(one.control for one in by_words)
    assert all(one.control for one in ranked if one not in by_words)
    run.answer(24)
    trainer.turn(run.record.last_seq())
    assert run.record.newest_generation().strategy != STRATEGY  # there is a model
