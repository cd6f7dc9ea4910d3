"""A teacher that is delivered says of a text what it said of it in training, from its file alone."""

import numpy as np
import pytest
import torch

from lit_al.exceptions import CheckpointError
from lit_al.models.checkpoint import load_frozen, load_model, save_model
from lit_al.models.prediction import classify, probabilities
from lit_al.models.text_teacher import TextTeacher, teacher_of
from lit_al.text.tfidf import readers_of, text_features
from lit_al.training.teacher import teach


@pytest.fixture(scope="module")
def taught(make_corpus):
    """A corpus, what a teacher of 60 labels makes of it, and the teacher."""
    corpus = make_corpus(rows=200)
    pool = np.arange(150)
    opinion = teach(text_features(corpus, pool), pool[:60], corpus.labels[:60], len(corpus.classes), 0)
    return corpus, opinion, teacher_of(corpus.classes, readers_of(corpus, pool), opinion.shares)


def test_says_of_new_texts_what_it_said_in_training(taught):
    corpus, opinion, model = taught
    found = model.read(corpus.texts)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, opinion.probabilities, atol=0.01)  # axes are kept in 16 bits


def test_reads_each_text_alike_whatever_stands_beside_it(taught):
    corpus, _, model = taught
    together = model.read(corpus.texts[:9])
    alone = np.concatenate([model.read([text]) for text in corpus.texts[:9]])
    np.testing.assert_allclose(together, alone, atol=1e-5)
    assert np.isfinite(model.read(["", "none of these letters: ξψ"])).all()


def test_file_holds_all_of_it(taught, tmp_path):
    corpus, _, model = taught
    path = save_model(model, tmp_path / "teacher.ckpt")
    for read in (load_model, load_frozen):
        again = read(path)
        assert isinstance(again, TextTeacher)
        np.testing.assert_array_equal(again.read(corpus.texts), model.read(corpus.texts))
    said = list(classify(again, corpus.texts))
    assert [one.label for one in said] == [corpus.classes[place] for place in model.read(corpus.texts).argmax(axis=1)]
    assert [len(part) for part in probabilities(again, corpus.texts, 150)] == [150, 50]


@pytest.mark.parametrize(
    "change",
    [
        {"terms": {"words": ["a", "a"]}},
        {"terms": {"words": "ab"}},
        {"terms": {"words": [print]}},
        {"terms": {"of somebody else": ["a"]}},
        {"directions": {"words": 10**9}},
        {"directions": {}},
        {"classes": ["a"]},
        {"classes": None},
    ],
)
def test_settings_of_somebody_elses_are_refused(change, taught, tmp_path):
    content = TextTeacher(("a", "b"), {"words": ["x", "y"]}, {"words": 1}).checkpoint()
    content["hyper_parameters"].update(change)
    path = tmp_path / "teacher.ckpt"
    torch.save(content, path)
    with pytest.raises(CheckpointError):
        load_model(path)


def test_weights_of_another_shape_or_damaged_ones_are_refused(taught, tmp_path):
    *_, model = taught
    content = model.checkpoint()
    content["state_dict"]["bias"] = torch.full_like(content["state_dict"]["bias"], torch.nan)
    torch.save(content, tmp_path / "nan.ckpt")
    content["state_dict"]["bias"] = torch.zeros(9)
    torch.save(content, tmp_path / "shape.ckpt")
    whole = save_model(model, tmp_path / "whole.ckpt").read_bytes()
    (tmp_path / "half.ckpt").write_bytes(whole[: len(whole) // 2])
    for name in ("nan", "shape", "half"):
        with pytest.raises(CheckpointError):
            load_model(tmp_path / f"{name}.ckpt")
