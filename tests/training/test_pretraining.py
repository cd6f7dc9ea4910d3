from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from lit_al.models.ensemble import LitCommittee
from lit_al.text import cache
from lit_al.text.encoder import TextEncoder
from lit_al.text.ppmi import word_vectors
from lit_al.training import pretraining
from lit_al.training.pretraining import Directions, Pretraining, learn, pretrain
from lit_al.training.recipe import make_recipe

ROWS = np.arange(150)
LSTM = {"lstm.input_kernel", "lstm.recurrent_kernel", "lstm.bias"}


@pytest.fixture(scope="module")
def tiny(make_corpus):
    """Corpus, encoder and tokens."""
    corpus = make_corpus()
    encoder = TextEncoder.fit(corpus.texts, max_length=15)
    return SimpleNamespace(
        corpus=corpus, encoder=encoder, tokens=torch.from_numpy(encoder.encode(corpus.texts)).clone()
    )


def learned(tiny, recipe, rows=ROWS, **options):
    tokens = options.pop("tokens", tiny.tokens)
    return learn(make_recipe(recipe), tiny.corpus, rows, tiny.encoder, tokens, **options)


def same(one, other):
    assert one.keys() == other.keys()
    return all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize(
    ("recipe", "features", "names"),
    [
        ("scratch", False, set()),
        ("scratch+adversarial+entropy+word-dropout", False, set()),
        ("scratch+vectors", False, {"embedding.weight"}),
        ("scratch+teacher", True, set()),
        ("lean", True, {"embedding.weight"}),
        ("scratch+pretrain", True, {"embedding.weight", *LSTM}),
        ("lean+pretrain", True, {"embedding.weight", *LSTM}),
    ],
)
def test_a_recipe_learns_what_it_needs_and_says_what_it_is_at(recipe, features, names, tiny):
    said = []
    found = learned(tiny, recipe, ROWS[::-1], report=said.append)
    assert (found.features is not None) == features
    assert found.weights.keys() == names
    assert found.rows.tolist() == tiny.corpus.in_order(ROWS).tolist()
    assert bool(said) == bool(found.notes) == bool(features or names)
    for name, weight in found.weights.items():
        assert weight.dtype == torch.float32
        assert torch.isfinite(weight).all(), name


def test_few_texts_are_said_to_teach_little_and_many_are_not(tiny, monkeypatch):
    [note] = learned(tiny, "scratch+vectors").notes
    assert note.startswith("150 texts teach little")
    monkeypatch.setattr(pretraining, "FEWEST", 150)
    assert learned(tiny, "scratch+vectors").notes == ()


def test_embedding_is_that_of_the_words_of_the_rows_alone(tiny):
    changed = tiny.tokens.clone()
    changed[150:] = 5
    found = learned(tiny, "scratch+vectors", tokens=changed).weights["embedding.weight"]
    assert torch.equal(found, word_vectors(tiny.tokens[:150], len(tiny.encoder.vocabulary)))


def test_pretrained_weights_come_from_the_rows_alone_and_leave_chance_as_it_was(tiny):
    changed = tiny.tokens.clone()
    changed[150:] = 5
    torch.manual_seed(3)
    state = torch.random.get_rng_state()
    first = learned(tiny, "scratch+pretrain")
    assert torch.equal(torch.random.get_rng_state(), state)
    assert same(first.weights, learned(tiny, "scratch+pretrain", tokens=changed).weights)
    assert not same(first.weights, learned(tiny, "scratch+pretrain", ROWS[:149]).weights)
    assert not same(first.weights, learned(tiny, "scratch+pretrain+vectors").weights)


@pytest.mark.parametrize("masked", [False, True])
def test_pretraining_learns_to_tell_directions(masked, tiny, monkeypatch):
    """The one direction is whether a text holds a word."""
    losses = []
    step = Directions.training_step
    monkeypatch.setattr(Directions, "training_step", lambda *args: (losses.append(step(*args)), losses[-1])[1])
    monkeypatch.setattr(pretraining, "PASSES", 30)
    monkeypatch.setattr(pretraining, "BATCH", 50)
    words = len(tiny.encoder.vocabulary)
    says = (tiny.tokens[:150].int() == 2).any(dim=1).numpy()
    directions = says[:, None].astype(np.float32)
    assert 0.1 < says.mean() < 0.9
    found = pretrain(tiny.tokens, ROWS, directions, words, {}, masked=masked, accelerator="cpu")
    assert found.keys() == {"embedding.weight", *LSTM}
    assert len(losses) == 30 * 3
    assert np.mean([loss.item() for loss in losses[-3:]]) < 0.5 * np.mean([loss.item() for loss in losses[:3]])


def test_pretraining_begins_with_the_weights_it_is_given(tiny, monkeypatch):
    monkeypatch.setattr(pretraining, "PASSES", 1)
    words = len(tiny.encoder.vocabulary)
    start = {"embedding.weight": np.full((words, 128), 7, np.float32)}
    found = pretrain(tiny.tokens, ROWS, np.random.default_rng(0).normal(size=(150, 2)).astype(np.float32), words, start)
    np.testing.assert_allclose(found["embedding.weight"], 7, atol=0.1)


def test_ctrl_c_in_pretraining_is_handed_on(tiny, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Directions, "training_step", interrupt)
    with pytest.raises(KeyboardInterrupt):
        pretrain(tiny.tokens, ROWS, np.zeros((150, 2), np.float32), len(tiny.encoder.vocabulary), {})


@pytest.mark.parametrize("classes", [2, 3])
def test_every_member_begins_with_the_weights_and_the_rest_as_drawn(classes, tiny):
    words = len(tiny.encoder.vocabulary)
    sizes = {"classes": ["a", "b", "c"][:classes], "vocabulary_size": words}
    model, drawn = (LitCommittee([5, 6], **sizes) for _ in range(2))
    found = learned(tiny, "scratch+vectors")
    found.begin(model)
    for name, weight, before in zip(model.net.names, model.net.weights, drawn.net.weights, strict=True):
        expected = found.weights["embedding.weight"].expand(2, -1, -1) if name == "embedding.weight" else before
        assert torch.equal(weight, expected), name
        assert weight.requires_grad
    with torch.no_grad():
        model.net.weights[0][0] += 1  # the members have nothing in common
    assert not torch.equal(model.net.weights[0][0], model.net.weights[0][1])
    Pretraining(ROWS).begin(drawn)


@pytest.mark.parametrize("recipe", ["lean", "scratch+pretrain", "lean+pretrain"])
def test_kept_prior_is_read_back_equal(recipe, tiny, monkeypatch, tmp_path):
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path))
    monkeypatch.setattr(cache, "WORTH", 100)
    first = learned(tiny, recipe)
    files = {path.name for path in tmp_path.iterdir()}
    assert len(files) == {"lean": 3, "scratch+pretrain": 3, "lean+pretrain": 4}[recipe]
    for name in ("word_vectors", "pretrain"):
        monkeypatch.setattr(pretraining, name, lambda *_, **__: pytest.fail("learned again"))
    again = learned(tiny, recipe, ROWS[::-1])
    assert same(first.weights, again.weights)
    np.testing.assert_array_equal(first.features.directions, again.features.directions)
    assert {path.name for path in tmp_path.iterdir()} == files


def test_other_rows_encoders_and_masking_are_learned_anew(tiny, monkeypatch, tmp_path):
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path))
    monkeypatch.setattr(cache, "WORTH", 100)
    monkeypatch.setattr(pretraining, "PASSES", 1)

    def count():
        return len(list(tmp_path.iterdir()))

    learned(tiny, "scratch+vectors")
    assert count() == 1
    learned(tiny, "scratch+vectors", ROWS[1:])
    assert count() == 2
    shorter = TextEncoder(tiny.encoder.vocabulary, max_length=8)
    tokens = torch.from_numpy(shorter.encode(tiny.corpus.texts))
    learn(make_recipe("scratch+vectors"), tiny.corpus, ROWS, shorter, tokens)
    assert count() == 3
    learned(tiny, "scratch+pretrain")  # and features of two kinds
    assert count() == 6
    learned(tiny, "scratch+vectors+pretrain")
    assert count() == 7
    learn(replace(make_recipe("scratch+pretrain"), masked=True), tiny.corpus, ROWS, tiny.encoder, tiny.tokens)
    assert count() == 8
