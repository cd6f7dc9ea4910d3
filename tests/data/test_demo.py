"""The made-up reviews: the same for a seed, shaped like IMDB, neither trivial nor hopeless to classify."""

import hashlib
import re
from collections import Counter

import numpy as np
import pytest

from lit_al.data.demo import VERSION, Knobs, _reviews, generate
from lit_al.data.demo.chance import uniform, zipf
from lit_al.data.demo.english import article, inflect, plural
from lit_al.data.demo.slots import SLOT, slots
from lit_al.data.demo.words import read
from lit_al.exceptions import ConfigError

ROWS = 4_000


@pytest.fixture(scope="module")
def corpus():
    return generate(ROWS)


@pytest.fixture(scope="module")
def tokens(corpus):
    return [re.findall(r"[a-z0-9']+", text.lower().replace("<br />", " ")) for text in corpus[0]]


def test_corpus_is_the_pinned_one():
    texts, labels = generate(200, seed=0)
    digest = hashlib.sha256("\n".join(texts).encode() + labels.tobytes()).hexdigest()
    assert (VERSION, digest[:16]) == ("1", "d5259b0d7553c3eb"), "the reviews changed: raise VERSION and measure again"


def test_same_seed_gives_same_reviews_and_another_seed_gives_others():
    first, second, other = generate(50, 3), generate(50, 3), generate(50, 4)
    assert first[0] == second[0]
    assert first[1].tolist() == second[1].tolist()
    assert not set(first[0]) & set(other[0])


def test_smaller_corpus_is_the_start_of_a_larger_one(corpus):
    texts, labels = generate(37)
    assert texts == corpus[0][:37]
    assert labels.tolist() == corpus[1][:37].tolist()


@pytest.mark.parametrize("rows", [1, 2, 3, 10, 101])
def test_any_size_is_balanced_up_to_one_row(rows):
    texts, labels = generate(rows)
    assert len(texts) == rows
    assert labels.shape == (rows,)
    assert labels.dtype == np.int64
    assert abs(int((2 * labels - 1).sum())) <= 1


@pytest.mark.parametrize("rows", [0, -1])
def test_size_below_one_is_refused(rows):
    with pytest.raises(ConfigError, match=f"rows={rows} "):
        generate(rows)


def test_negative_seed_is_refused():
    with pytest.raises(ConfigError, match="seed=-1 "):
        generate(1, seed=-1)


def test_labels_come_in_no_order(corpus):
    labels = corpus[1]
    for part in np.array_split(labels, 8):
        assert part.mean() == pytest.approx(0.5, abs=0.01)
    # Rows come in pairs of opposite labels; which one comes first is a coin, so a quarter of all neighbors are alike.
    assert (labels[1:] == labels[:-1]).mean() == pytest.approx(0.25, abs=0.03)


def test_texts_are_whole(corpus):
    texts = corpus[0]
    assert all(re.match(r"[A-Z0-9]", text) and text[-1] in ".!" for text in texts)
    assert not re.search(r"[{}~]|  | [.,]", " ".join(texts))
    assert len(set(texts)) >= 0.999 * len(texts)


def test_lengths_are_those_of_imdb(corpus):
    words = np.array([len(text.split()) for text in corpus[0]])
    low, median, high = np.percentile(words, [5, 50, 95])
    assert words.min() < 40
    assert 50 < low < 95
    assert median == pytest.approx(174, abs=17)
    assert words.mean() == pytest.approx(231, abs=20)
    assert 480 < high < 640
    assert words.max() > 1_000


def test_some_reviews_have_paragraph_tags(corpus):
    assert 0.45 < np.mean(["<br /><br />" in text for text in corpus[0]]) < 0.7


def test_vocabulary_has_a_long_tail(tokens):
    counts = np.array(sorted(Counter(word for text in tokens for word in text).values(), reverse=True))
    assert len(counts) > 12_000
    assert (counts == 1).mean() > 0.3
    ranks = np.arange(10, 3_000)
    slope = np.polyfit(np.log(ranks), np.log(counts[ranks]), 1)[0]
    assert -1.5 < slope < -0.8


def test_thousands_of_ordinary_words_are_at_work():
    names = (
        "director",
        "actor",
        "rival",
        "writer",
        "title",
        "old_title",
        "old_director",
        "extra",
        "hero",
        "foe",
        "town",
    )
    lists = (words for name, slot in slots().items() if name not in names for words in slot.lists)
    ordinary = {word for words in lists for phrase in words for word in re.findall(r"[a-z]+", phrase.lower())}
    assert len(ordinary) > 3_500


def test_counting_words_tells_much_but_not_all(corpus, tokens):
    labels, half = corpus[1], ROWS // 2
    counts = [Counter(), Counter()]
    for label, text in zip(labels[:half], tokens, strict=False):
        counts[label].update(set(text[:150]))
    weight = {word: np.log((counts[1][word] + 1) / (counts[0][word] + 1)) for word in counts[0] | counts[1]}
    score = np.array([sum(weight.get(word, 0.0) for word in set(text[:150])) for text in tokens[half:]])
    accuracy = ((score > 0) == labels[half:]).mean()
    assert 0.68 < accuracy < 0.88


def test_denial_turns_a_word_around(corpus):
    def share_of_praise(pattern):
        return np.mean([label for text, label in zip(*corpus, strict=True) if re.search(pattern, text)])

    assert share_of_praise(r"\bis (good|great)\b") > 0.55
    assert share_of_praise(r"\b(isn't|is not|was not|wasn't|is hardly|was never) (good|great)\b") < 0.45


def test_label_noise_is_the_knob():
    for noise in (0.0, 0.07, 0.3):
        reviews = _reviews(20_000, 0, Knobs(label_noise=noise))
        assert (reviews.label != reviews.sentiment).mean() == pytest.approx(noise, abs=0.01)


def test_every_slot_of_every_frame_has_words():
    frames = [frame for kind in read("sentences").values() for frame in kind]
    assert len(frames) > 150
    assert all(SLOT.search(frame) for frame in frames)
    assert {match[3] for frame in frames for match in SLOT.finditer(frame)} <= set(slots())


def test_zipf_halves_the_share_of_rank_two():
    u = uniform(np.arange(200_000, dtype=np.uint64), "ranks")
    ranks = zipf(u, 1_000, 1.0)
    counts = np.bincount(ranks, minlength=1_000)
    assert (ranks.min(), ranks.max()) == (0, 999)
    assert counts[0] / counts[1] == pytest.approx(np.log(2) / np.log(1.5), rel=0.05)


@pytest.mark.parametrize(("word", "expected"), [("odd", "an odd"), ("unique", "a unique"), ("honest", "an honest")])
def test_article_goes_by_the_sound(word, expected):
    assert article(word) == expected


def test_word_forms_follow_the_rules():
    assert [inflect("carry", ending) for ending in ("s", "ed", "ing")] == ["carries", "carried", "carrying"]
    assert [inflect("rob", ending) for ending in ("s", "ed", "ing")] == ["robs", "robbed", "robbing"]
    assert [plural(noun) for noun in ("spy", "fisherman", "thief", "witch")] == [
        "spies",
        "fishermen",
        "thieves",
        "witches",
    ]
