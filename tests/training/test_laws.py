"""What is delivered is never worse than the best simple alternative, nor than its own teacher by half a point.

On made-up corpora of unlike kinds: many classes, a rare class, texts without spaces. The margins are those of 600
judging texts, not of the laws.
"""

import numpy as np
import pytest
import torch

from lit_al.data import Corpus
from lit_al.loop.active_loop import ActiveLoop
from lit_al.oracles import SimulatedOracle
from lit_al.text.encoder import suited_encoder
from lit_al.training import step_training
from lit_al.training.linear_training import LinearFeatures, LinearTraining
from lit_al.training.pretraining import learn
from lit_al.training.recipe import Recipe, make_recipe
from lit_al.training.step_training import StepTraining

NOISE = 0.02  # of a share of 600 texts
SIMPLE = ("tfidf-lr", "lsa-lr", "chars-lr")
POOL = np.arange(1_400)
JUDGING = np.arange(1_400, 2_000)


def spoken(rng, words):
    """A word, misspelled now and then."""
    word = str(rng.choice(words))
    place = rng.integers(len(word))
    return word[:place] + word[place + 1 :] if rng.random() < 0.2 and len(word) > 4 else word


def questions(classes, weights=None):
    """Short texts of a class: two words of its own among words of all."""
    rng = np.random.default_rng(0)
    letters = list("abcdefghiklmnoprstuv")
    words = np.array(["".join(rng.choice(letters, rng.integers(4, 9))) for _ in range(12 * classes + 60)])
    own, common = words[: 12 * classes].reshape(classes, 12), words[12 * classes :]
    labels = rng.choice(classes, 2_000, p=weights)
    texts = []
    for label in labels:
        said = [spoken(rng, own[label]) for _ in range(2)] + [str(word) for word in rng.choice(common, 6)]
        texts.append(" ".join(rng.permutation(said)))
    return Corpus(texts, labels, tuple(f"class {number}" for number in range(classes)), source="questions")


def without_spaces():
    """Signs that follow each other; a class has pairs of its own."""
    rng = np.random.default_rng(0)
    signs = [chr(0x4E00 + number) for number in range(200)]
    pairs = rng.permutation(200)[:32].reshape(2, 8, 2)
    labels = rng.integers(0, 2, 2_000)
    texts = []
    for label in labels:
        parts = ["".join(signs[sign] for sign in rng.choice(pairs[label])) for _ in range(2)]
        parts += [str(sign) for sign in rng.choice(signs, 12)]
        texts.append("".join(rng.permutation(parts)))
    return Corpus(texts, labels, ("good", "bad"), source="signs")


CORPORA = {
    "20 classes": (lambda: questions(20), 300),
    "a rare class": (lambda: questions(2, [0.93, 0.07]), 150),
    "no spaces": (without_spaces, 150),
}


@pytest.fixture(scope="module", params=CORPORA)
def reached(request):
    """Accuracy of the delivered network, its teacher, and the simple rows."""
    made, budget = CORPORA[request.param]
    corpus = made()
    encoder, _ = suited_encoder([corpus.texts[row] for row in POOL], vocabulary_size=20_000, max_length=400)
    tokens = torch.from_numpy(encoder.encode(corpus.texts))
    recipe = make_recipe("lean", Recipe(masked=True))
    taught = []
    teach = step_training.teach
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(step_training, "teach", lambda *a, **k: (taught.append(teach(*a, **k)), taught[-1])[1])
        network = StepTraining(
            tokens,
            len(encoder.vocabulary),
            corpus.classes,
            recipe=recipe,
            pretraining=learn(recipe, corpus, POOL, encoder, tokens),
        )
        found = {"network": right(network, corpus, budget)}
    truth = corpus.labels[JUDGING]
    found["teacher"] = float((taught[0].logits[JUDGING].argmax(axis=1) == truth).mean())
    features = LinearFeatures(corpus, POOL)
    for name in SIMPLE:
        found[name] = right(LinearTraining(features, len(corpus.classes), name), corpus, budget)
    return found


def right(method, corpus, budget):
    """Accuracy of a method with so many random labels."""
    loop = ActiveLoop(
        method,
        POOL,
        SimulatedOracle(corpus.labels),
        classes=len(corpus.classes),
        seeds=[0],
        strategy="random",
        schedule=[budget],
    )
    list(loop.rounds())
    return float((method.score(JUDGING)[0].argmax(axis=1) == corpus.labels[JUDGING]).mean())


def test_network_is_not_worse_than_the_best_simple_alternative(reached):
    assert reached["network"] >= max(reached[name] for name in SIMPLE) - NOISE, reached


def test_network_is_not_worse_than_its_teacher(reached):
    assert reached["network"] >= reached["teacher"] - NOISE, reached
