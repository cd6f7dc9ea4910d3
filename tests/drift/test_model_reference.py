"""The reference of a model: nothing is lost on disk, no word is in it, and texts are read as if they were new."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lit_al.calibration import tempered
from lit_al.drift.model_reference import FILE, Reference, as_if_new
from lit_al.drift.text_counts import TextCounts
from lit_al.exceptions import CheckpointError
from lit_al.text.encoder import TextEncoder

WORDS = ["zebra", "yonder", "xylem", "willow", "velvet", "umbra", "teapot"]
sentences = st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map(" ".join), min_size=2, max_size=9)


def made(rows=200, seed=0):
    rng = np.random.default_rng(seed)
    texts = [" ".join(rng.choice(WORDS, 6)) for _ in range(rows)]
    encoder = TextEncoder.fit(texts, vocabulary_size=30, max_length=8)
    said = rng.dirichlet([1, 1], rows)
    labels = (rng.random(rows) < said[:, 1]).astype(np.int64)
    reference = Reference.of(TextCounts.of(encoder.encode(texts), said), encoder, ("no", "yes"), f"{rows} texts")
    return reference.knowing(said, labels), encoder, said


@given(sentences)
@settings(deadline=None)
def test_texts_read_as_new_are_what_a_vocabulary_of_all_the_others_makes_of_them(texts):
    encoder = TextEncoder.fit(texts, vocabulary_size=50, max_length=5)
    found = as_if_new(encoder.encode(texts), np.arange(len(texts)), len(encoder.vocabulary))
    for row, text in enumerate(texts):
        others = TextEncoder.fit(texts[:row] + texts[row + 1 :], vocabulary_size=50, max_length=5)
        assert (found[row] == 1).tolist() == (others.encode([text])[0] == 1).tolist()
        assert ((found[row] == 0) == (others.encode([text])[0] == 0)).all()


def test_file_holds_all_of_it_and_no_word(tmp_path):
    reference, *_ = made()
    reference.divided(0.5).write(tmp_path)
    again = Reference.read(tmp_path / FILE)
    assert again.counts.described() == reference.counts.described()
    assert (again.names, again.vocabulary, again.by, again.known) == (
        reference.names, reference.vocabulary, reference.by, reference.known
    )  # fmt: skip
    assert again.temperature == 0.5
    assert not any(word in (tmp_path / FILE).read_text() for word in WORDS)


@pytest.mark.parametrize("heat", [0.3, 1.0, 2.5])
def test_model_that_was_divided_is_read_as_it_was(heat):
    reference, _, said = made()
    assert reference.divided(heat).plain(tempered(said, heat)) == pytest.approx(
        said, abs=5e-4
    )  # a logarithm of 1e-12 is the least


def test_guess_on_the_reference_itself_is_its_accuracy():
    reference, _, said = made()
    guess = reference.known.guessed(said)
    assert guess.doc == pytest.approx(reference.known.accuracy)
    assert guess.atc == pytest.approx(reference.known.accuracy, abs=1 / len(said) + 1e-9)
    sure = reference.known.guessed(said[said.max(axis=1) > 0.8])
    assert min(sure.doc, sure.atc, sure.confidence) > reference.known.accuracy


def test_reference_of_another_model_is_refused():
    reference, encoder, _ = made()
    reference.check(encoder, ("no", "yes"), "it")
    with pytest.raises(CheckpointError, match="of another model"):
        reference.check(encoder, ("yes", "no"), "it")
    with pytest.raises(CheckpointError, match="of another model"):
        reference.check(TextEncoder.fit(["other words"], vocabulary_size=9), ("no", "yes"), "it")


def test_few_labels_say_nothing_of_the_accuracy():
    reference, _, said = made()
    assert (
        Reference.of(reference.counts, made()[1], ("no", "yes"), "").knowing(said[:20], np.zeros(20, int)).known is None
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"schema": 2}, {"classes": ["no"]}, {"classes": "no"}, {"by": 3}, {"temperature": 0}, {"temperature": "hot"},
        {"exact": 1}, {"counts": {}}, {"counts": []}, {"known": {"rows": 9}}, {"known": [1]},
    ],
)  # fmt: skip
def test_damaged_file_is_refused_in_one_sentence(wrong, tmp_path):
    made()[0].write(tmp_path)
    found = json.loads((tmp_path / FILE).read_text())
    (tmp_path / FILE).write_text(json.dumps({**found, **wrong}))
    with pytest.raises(
        CheckpointError, match=r"is no reference of a model .* give texts of before as --reference FILE"
    ):
        Reference.read(tmp_path / FILE)
    for content in ("", "[]", "[" * 5_000, "{"):
        (tmp_path / FILE).write_text(content)
        with pytest.raises(CheckpointError, match="is no reference"):
            Reference.read(tmp_path / FILE)
