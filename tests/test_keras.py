"""lit_al beside Keras itself: words, weights, gradients, optimizer, metrics and stopping.

Keras 3 runs on TensorFlow, as on the page of the example. Where the two disagree, the disagreement is a test of its
own. The largest is RMSprop: lit_al has that of Keras 2.9.
"""

import copy
import itertools
import math
import os
import random
import re
import string
import warnings
from collections import Counter

import lightning as L
import numpy as np
import pytest
import torch

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # what TensorFlow deprecates in itself while it is imported
    tf = pytest.importorskip("tensorflow", reason="Keras's text layer needs tensorflow: pip install 'lit_al[keras]'")
    keras = pytest.importorskip("keras", reason="compares with Keras itself: pip install 'lit_al[keras]'")
if not keras.__version__.startswith("3.") or keras.backend.backend() != "tensorflow":
    pytest.skip(
        f"compares with Keras 3 on TensorFlow, but keras {keras.__version__} is here on {keras.backend.backend()}",
        allow_module_level=True,
    )

from lit_al import ActiveDataModule, LitBiLSTM, load_corpus
from lit_al.models.batches import Batches
from lit_al.models.scoring import evaluate, score
from lit_al.text.encoder import TextEncoder, standardize
from lit_al.training.learner import ActiveLearner

pytestmark = [
    pytest.mark.keras,
    pytest.mark.filterwarnings("ignore:::(keras|tensorflow)"),
]

WORDS, LENGTH, PARAMETERS = 3_000, 150, 426_537


@pytest.fixture(autouse=True)
def _seeded():
    keras.utils.set_random_seed(0)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


# --- The encoder ------------------------------------------------------------------------------------------------------


def keras2_page(texts):
    """`custom_standardization` of the Keras 2 page, to the letter."""
    lowercase = tf.strings.lower(texts)
    stripped_html = tf.strings.regex_replace(lowercase, "<br />", " ")
    return tf.strings.regex_replace(stripped_html, f"[{re.escape(string.punctuation)}]", "")


def vectorizer(texts, how):
    """The layer of the page, adapted to texts."""
    standardize = {"keras3": "lower_and_strip_punctuation", "keras2": keras2_page}[how]
    layer = keras.layers.TextVectorization(WORDS, standardize=standardize, output_sequence_length=LENGTH)
    layer.adapt(tf.data.Dataset.from_tensor_slices(texts).batch(256))
    return layer


def assert_same_encoding(training, texts, how):
    layer, encoder = vectorizer(training, how), TextEncoder.fit(training, how=how)
    seen = layer.get_vocabulary()  # numpy cuts NUL off the end of a word here; the layer's own table keeps it
    assert [word.rstrip("\0") for word in encoder.vocabulary] == [word.rstrip("\0") for word in seen]
    expected = layer(tf.constant(texts)).numpy()
    found = encoder.encode(texts)
    wrong = np.flatnonzero((found != expected).any(1))
    assert wrong.size == 0, f"{wrong.size} texts differ, the first is {texts[wrong[0]]!r}"
    return expected


TRICKY = [
    "It's <br /><br />GREAT! Don't you think? I'd say 'tis the-best... film/movie_ever",
    "<BR />upper <Br/>mixed <br/>short <br  />wide a<br />b <i>tag</i> <br",
    "<b<br />r />nested <br /><BR /><br />",
    "É é È İ ı I i ß ẞ Σ σ ς K k Å å ſ s Ǆ ǆ Ω CAFÉ café",  # only A to Z are lower-cased
    "a\u0301 \u00e1 e\u0301 \u00e9",  # composed or not: different words
    "one\xa0word one\u3000word one\u2003word one\u2028word one\u2029word zero\u200bwidth bom\ufeff",
    "next\x85line file\x1cgroup\x1drecord\x1eunit\x1fend",  # white space to Python, not to TensorFlow
    "tab\tnewline\nreturn\r\nvertical\vform\fend",
    "😀 😀😀 a😀b 👩‍👩‍👧 🇩🇪 \U0010ffff 中文 文字 नमस्ते",
    "... !!! --- ~ ` ' \" \\ ^ _ | [] {} () @ $ % # & * + , / : ; < = > ?",
    "“curly” ‘quotes’ – dashes — and … dots „low“ «angle»",
    "x" * 20_000 + " after",
    "word " * 3 + "y" * 100_000,
    "",
    " ",
    " \t\n\v\f\r ",
    "\xa0",
    "1 22 3.14 1,000 10/10 7-10 ½ ²",
    "again " * 200,
    " ".join(f"w{number}" for number in range(200)),
    " ".join(f"w{number}" for number in range(149, -1, -1)) + " ",
    "nul\0inside \0 trailing\0",
    "[UNK] [unk] UNK unk [PAD] [MASK] <unk> </s>",
    "zebra apple Zebra Apple zEBRA mango",
]


@pytest.mark.parametrize("how", ["keras3", "keras2"])
def test_tricky_texts_are_encoded_as_by_keras(how):
    assert_same_encoding(TRICKY, [*TRICKY, "words never seen", "zebra unseen apple"], how)


@pytest.mark.parametrize("how", ["keras3", "keras2"])
def test_generated_texts_are_encoded_as_by_keras(how):
    texts = generated_texts(4_000, seed=1)
    ids = assert_same_encoding(texts[:2_500], texts[1_500:], how)
    assert {0, 1, 2, WORDS - 1} <= set(ids.ravel())  # the vocabulary is full and used to its end
    assert tie_at_the_end(texts[:2_500], how)


def generated_texts(number, seed):
    """Zipf-distributed words, most of them rare and so of equal frequency, of letters from all over Unicode."""
    rng = random.Random(seed)
    letters = (
        string.ascii_letters * 4 + string.digits + "éÉİıßẞſKσΣ中😀\xa0\x85\x1c\u200b\u2028\u0301\0" + "'-.,!&_\\]^"
    )
    anywhere = [chr(point) for point in range(1, 0x110000, 1009) if not 0xD800 <= point < 0xE000]
    words = ["".join(rng.choices(letters, k=rng.randint(1, 7))) for _ in range(9_000)]
    words += ["".join(rng.choices(anywhere, k=2)) for _ in range(1_000)]
    spaces = [" "] * 12 + ["  ", "\t", "\n", "\v", "\f", "\r\n", "<br />", "<BR />", " <br /><br />", "... ", "\xa0"]
    weights = list(itertools.accumulate(1 / (rank + 10) for rank in range(len(words))))
    lengths = [rng.choice([0, 1, 3, 20, 60, 149, 150, 151, 230]) for _ in range(number)]
    return [
        "".join(word + rng.choice(spaces) for word in rng.choices(words, cum_weights=weights, k=k)) for k in lengths
    ]


def tie_at_the_end(texts, how):
    """Whether the last word of the vocabulary is as frequent as the first one left out."""
    counts = Counter(word for text in texts for word in standardize(text, how).split(" ") if word)
    frequencies = sorted(counts.values(), reverse=True)
    return frequencies[WORDS - 3] == frequencies[WORDS - 2]


def test_keras2_page_lowers_before_it_replaces_tags():
    """So an upper-case tag is a space there too, as `TextEncoder` has it by ignoring the case of the tag."""
    texts = ["one<BR />two<Br />three<br />four"]
    assert keras2_page(tf.constant(texts)).numpy().tolist() == [b"one two three four"]
    assert TextEncoder.fit(texts, how="keras2").vocabulary[2:] == ("two", "three", "one", "four")


@pytest.mark.imdb
def test_imdb_is_encoded_as_by_keras(imdb_folder):
    corpus = load_corpus(str(imdb_folder))
    data = ActiveDataModule(corpus)
    layer = vectorizer([corpus.texts[row] for row in data.split.labeled], "keras3")
    assert len(data.split.labeled) == 15_000
    assert list(data.encoder.vocabulary) == layer.get_vocabulary()
    texts = [corpus.texts[row] for row in data.split.pool[:2_000]]
    np.testing.assert_array_equal(data.encoder.encode(texts), layer(tf.constant(texts)).numpy())


# --- The network ------------------------------------------------------------------------------------------------------


def page_model(dropout=0.5):
    """The model of the page."""
    inputs = keras.layers.Input(shape=(LENGTH,))
    x = keras.layers.Embedding(WORDS, 128)(inputs)
    x = keras.layers.Bidirectional(keras.layers.LSTM(32, return_sequences=True))(x)
    x = keras.layers.GlobalMaxPool1D()(x)
    x = keras.layers.Dense(20, activation="relu")(x)
    x = keras.layers.Dropout(dropout)(x)
    outputs = keras.layers.Dense(1, activation="sigmoid")(x)
    return keras.Model(inputs, outputs)


def state_of(keras_model):
    """Keras's weights under the names of `BiLSTM`."""
    weights = [torch.tensor(variable.numpy()) for variable in keras_model.trainable_weights]
    embedding, *forward_and_backward, dense, dense_bias, head, head_bias = weights
    kernel, recurrent, bias = (torch.stack(forward_and_backward[part::3]) for part in range(3))
    return {
        "embedding.weight": embedding,
        "lstm.input_kernel": kernel,
        "lstm.recurrent_kernel": recurrent,
        "lstm.bias": bias,
        "dense.weight": dense.T,
        "dense.bias": dense_bias,
        "head.weight": head.T,
        "head.bias": head_bias,
    }


def copy_of(keras_model, **arguments):
    """A LitBiLSTM with the weights of a Keras model."""
    model = LitBiLSTM(**arguments)
    model.net.load_state_dict(state_of(keras_model))
    return model


def shaken(keras_model, seed=0):
    """Weights as large as after training, biases too: fresh ones give every text a probability near 0.5."""
    rng = np.random.default_rng(seed)
    scales = [0.3] + [0.1] * 6 + [0.5] * 4  # embedding, LSTM, dense layers
    for variable, scale in zip(keras_model.trainable_weights, scales, strict=True):
        variable.assign(variable.numpy() + rng.normal(0, scale, variable.shape).astype("float32"))
    return keras_model


def review_batch(rows, seed=0, padded=True):
    """Tokens (rows, T) uint16 distributed like those of reviews, with labels; if padded, of all lengths from 0 on."""
    rng = np.random.default_rng(seed)
    weights = 1 / (np.arange(1, WORDS) + 3)
    tokens = rng.choice(np.arange(1, WORDS), (rows, LENGTH), p=weights / weights.sum())
    if padded:
        lengths = rng.choice([0, 1, 5, 40, 100, 149, 150, 150], rows)
        tokens[np.arange(LENGTH) >= lengths[:, None]] = 0
    return tokens.astype(np.uint16), rng.integers(0, 2, rows)


def test_parameters_are_as_many_as_keras_has():
    assert page_model().count_params() == PARAMETERS
    assert sum(parameter.numel() for parameter in LitBiLSTM().parameters()) == PARAMETERS


@pytest.fixture(scope="module")
def trained():
    """A Keras model with its probabilities of a batch."""
    keras.utils.set_random_seed(0)
    model, (tokens, _) = shaken(page_model()), review_batch(300)
    return model, tokens, model.predict(tokens.astype("int64"), batch_size=256, verbose=0)[:, 0]


@pytest.mark.parametrize("kernel", ["cpu", "lstm", "reference"])
def test_weights_of_keras_give_the_same_probabilities(kernel, trained):
    original, tokens, expected = trained
    batches = Batches(torch.from_numpy(tokens), None, torch.arange(len(tokens)), 1_000)
    found = score(copy_of(original, kernel=kernel), batches)[:, 1]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)
    assert np.ptp(expected) > 0.5  # the comparison means something


@pytest.fixture(scope="module")
def drawn():
    """Initial weights of lit_al and of Keras, five draws each."""
    keras.utils.set_random_seed(0)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return [LitBiLSTM().net.state_dict() for _ in range(5)], [state_of(page_model()) for _ in range(5)]


UNIFORM = {  # limit of each weight
    "embedding.weight": 0.05,
    "lstm.input_kernel": math.sqrt(6 / (128 + 4 * 32)),
    "dense.weight": math.sqrt(6 / (64 + 20)),
    "head.weight": math.sqrt(6 / (20 + 1)),
}


@pytest.mark.parametrize("name", UNIFORM)
def test_initial_weights_are_as_uniform_as_in_keras(name, drawn):
    limit = UNIFORM[name]
    for states in drawn:
        values = torch.stack([state[name] for state in states]).double().flatten()
        noise = limit / math.sqrt(len(values))
        assert 0.9 * limit < values.abs().max() <= limit * (1 + 1e-6)
        assert abs(values.mean()) < 4 * noise
        assert abs(values.std() - limit / math.sqrt(3)) < 4 * noise


def test_initial_biases_are_those_of_keras(drawn):
    (ours, *_), (theirs, *_) = drawn
    for name in ("lstm.bias", "dense.bias", "head.bias"):
        assert torch.equal(ours[name], theirs[name]), name
    assert ours["lstm.bias"].reshape(2, 4, 32)[:, 1].eq(1).all()  # forget


def test_initial_recurrent_kernels_are_orthogonal_as_in_keras(drawn):
    for states in drawn:
        recurrent = torch.stack([state["lstm.recurrent_kernel"] for state in states]).flatten(0, 1)
        torch.testing.assert_close(recurrent @ recurrent.mT, torch.eye(32).expand(10, -1, -1), rtol=0, atol=1e-5)
        assert abs(recurrent.std() - math.sqrt(1 / 128)) < 1e-3
        assert abs(recurrent.mean()) < 3e-3
        for name in ("lstm.recurrent_kernel", "lstm.input_kernel"):
            assert not torch.allclose(*states[0][name])  # each direction draws its own


# --- The optimizer ----------------------------------------------------------------------------------------------------


def gradients(steps, rows, columns, seed=0):
    """Gradients (steps, rows, columns) of all sizes from 1e-7 to 1; most rows are zero in most steps."""
    rng = np.random.default_rng(seed)
    scale = 10.0 ** rng.uniform(-7, 0, (1, rows, 1))
    scale[0, :4] = 1e-6
    dense = rng.normal(0.3, 1, (steps, rows, columns)) * scale
    dense[rng.random((steps, rows)) < 0.7] = 0
    return dense.astype("float32")


def optimizer_of_the_model(parameters):
    """The optimizer of `LitBiLSTM`, with its settings, for other parameters."""
    optimizer = LitBiLSTM().configure_optimizers()
    return type(optimizer)(parameters, **optimizer.defaults)


class Keras2RMSprop(keras.optimizers.RMSprop):
    """Keras 3's optimizer with the formula of Keras 2.9.

    The gradient of a repeated row is added up before it is squared, and epsilon stands outside the root.
    """

    def update_step(self, gradient, variable, learning_rate):
        gradient = tf.convert_to_tensor(gradient)
        velocity = self._velocities[self._get_variable_index(variable)]
        self.assign(velocity, self.rho * velocity + (1 - self.rho) * gradient**2)
        self.assign_sub(variable, learning_rate * gradient / (tf.sqrt(velocity.value) + self.epsilon))


def keras2_apply():
    """How Keras 2.9 applies a gradient, by its own optimizer, which `tf_keras` keeps as a legacy."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        legacy = pytest.importorskip("tf_keras", reason="Keras 2 itself: pip install tf_keras").optimizers.legacy
    optimizer = legacy.RMSprop()
    return lambda gradient, variable: optimizer.apply_gradients([(gradient, variable.value)])


def keras2_formula():
    optimizer = Keras2RMSprop()
    return lambda gradient, variable: optimizer.apply([gradient], [variable])


@pytest.mark.parametrize("form", ["dense", "slices"])
@pytest.mark.parametrize("keras2", [keras2_apply, keras2_formula])
@pytest.mark.filterwarnings("ignore:::tf_keras")
def test_rmsprop_moves_weights_as_keras_2_does(keras2, form):
    steps, apply = gradients(50, 40, 6), keras2()
    start = np.random.default_rng(1).normal(0, 0.05, steps.shape[1:]).astype("float32")
    theirs, ours = keras.Variable(start), torch.nn.Parameter(torch.tensor(start))
    optimizer = optimizer_of_the_model([ours])
    for gradient in steps:
        rows = np.flatnonzero(gradient.any(1)).repeat(2)  # twice half of it: a word that occurs twice
        slices = tf.IndexedSlices(tf.constant(gradient[rows] / 2), tf.constant(rows), tf.constant(gradient.shape))
        apply(slices if form == "slices" else tf.constant(gradient), theirs)
        ours.grad = torch.tensor(gradient)
        optimizer.step()
    found, expected = ours.detach().numpy(), theirs.numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(found - start, expected - start, rtol=1e-4, atol=1e-6)  # how far they moved
    assert np.abs(expected - start)[:4].max() > 1e-3  # tiny gradients move weights as far as others do


def test_keras_3_holds_tiny_gradients_back():
    """A disagreement: Keras 3 adds epsilon to the mean square, lit_al as Keras 2.9 to its root."""
    gradient = np.array([1e-6, 1e-4, 1.0], "float32")
    theirs, ours = keras.Variable(np.zeros(3, "float32")), torch.nn.Parameter(torch.zeros(3))
    keras.optimizers.RMSprop().apply([tf.constant(gradient)], [theirs])
    ours.grad = torch.tensor(gradient)
    optimizer_of_the_model([ours]).step()
    np.testing.assert_allclose(theirs.numpy(), -1e-3 * gradient / np.sqrt(0.1 * gradient**2 + 1e-7), rtol=1e-5)
    np.testing.assert_allclose(ours.detach(), -1e-3 * gradient / (np.sqrt(0.1) * gradient + 1e-7), rtol=1e-5)
    further = ours.detach().numpy() / theirs.numpy()
    np.testing.assert_allclose(further, [760, 10, 1], rtol=0.05)


def test_keras_3_squares_a_repeated_row_before_it_adds_it_up():
    """A disagreement: on TensorFlow the gradient of a lookup comes in one slice per token, and Keras 3 squares each.

    So the mean square of a repeated row is a sum of squares there, and else (Keras 3 on other backends, Keras 2.9,
    lit_al) the square of the sum.
    """
    theirs, dense = (keras.Variable(np.zeros((2, 1), "float32")) for _ in range(2))
    slices = tf.IndexedSlices(tf.constant([[1.0], [1.0], [1.0]]), tf.constant([0, 0, 1]), tf.constant([2, 1]))
    keras.optimizers.RMSprop().apply([slices], [theirs])
    keras.optimizers.RMSprop().apply([tf.convert_to_tensor(slices)], [dense])
    once = -1e-3 / math.sqrt(0.1)
    assert theirs.numpy()[:, 0] == pytest.approx([2 * once / math.sqrt(1**2 + 1**2), once], rel=1e-5)
    assert dense.numpy()[:, 0] == pytest.approx([2 * once / math.sqrt((1 + 1) ** 2), once], rel=1e-5)


# --- Training ---------------------------------------------------------------------------------------------------------


def compiled(keras_model, optimizer):
    """As on the page."""
    keras_model.compile(
        loss="binary_crossentropy",
        optimizer=optimizer,
        metrics=["binary_accuracy", keras.metrics.FalseNegatives(), keras.metrics.FalsePositives()],
    )
    return keras_model


def assert_same_weights(model, keras_model, mean, most):
    """A few weights may differ: RMSprop makes steps of one size from gradients that are mere rounding noise."""
    for name, expected in state_of(keras_model).items():
        distance = (model.net.state_dict()[name] - expected).abs().flatten()
        assert distance.mean() < mean, name
        assert np.quantile(distance, 0.999) < most, name


@pytest.mark.parametrize(
    ("padded", "mean", "most"),
    [
        pytest.param(False, 2e-7, 5e-6, id="full texts"),
        # Over padding the states settle: which of the last bits is the maximum, and so gets the gradient, is chance.
        pytest.param(True, 1e-5, 2e-4, id="padded texts"),
    ],
)
def test_fit_agrees_with_keras(padded, mean, most):
    """An epoch of ten batches, the last one small, and its validation: losses, metrics and weights."""
    original = compiled(shaken(page_model(dropout=0)), Keras2RMSprop())
    model = copy_of(original, dropout=0.0)
    before = copy.deepcopy(model.net.state_dict())
    tokens, labels = review_batch(9 * 32 + 10, padded=padded)
    more, more_labels = review_batch(75, seed=1)
    history = original.fit(
        tokens.astype("int64"),
        labels,
        batch_size=32,
        shuffle=False,
        validation_data=(more.astype("int64"), more_labels),
        verbose=0,
    ).history

    trainer = L.Trainer(
        accelerator="cpu",
        max_epochs=1,
        logger=False,
        enable_checkpointing=False,
        enable_model_summary=False,
        enable_progress_bar=False,
        num_sanity_val_steps=0,
    )
    trainer.fit(model, in_order(tokens, labels, 32), in_order(more, more_labels, 50))

    found = {name: float(value) for name, value in trainer.callback_metrics.items()}
    names = {"loss": "loss", "accuracy": "binary_accuracy"}
    names |= {f"val_{ours}": f"val_{theirs}" for ours, theirs in names.items()}
    for ours, theirs in names.items():
        assert found[ours] == pytest.approx(history[theirs][0], abs=1e-5), ours
    for name in ("val_false_negatives", "val_false_positives"):
        expected = next(value for key, value in history.items() if key.startswith(name))
        assert found[name] == expected[0]
    assert_same_weights(model, original, mean, most)
    moved = max(float((model.net.state_dict()[name] - value).abs().max()) for name, value in before.items())
    assert moved > 1e-2  # the way of ten steps of 1e-3


def in_order(tokens, labels, size):
    return Batches(torch.from_numpy(tokens), torch.from_numpy(labels), torch.arange(len(labels)), size)


def test_step_of_the_page_follows_from_our_gradients():
    """The page as it is, with Keras 3's RMSprop on TensorFlow: lit_al's gradients, in its formula, give its weights."""
    original = compiled(shaken(page_model(dropout=0)), "rmsprop")
    model = copy_of(original, dropout=0.0)
    tokens, labels = review_batch(64, padded=False)
    each = gradient_of_each_token(model, tokens, labels)  # (B * T, E)
    loss = model.training_step((torch.from_numpy(tokens), torch.from_numpy(labels)), 0)
    loss.backward()

    assert loss.item() == pytest.approx(float(original.train_on_batch(tokens.astype("int64"), labels)[0]), abs=1e-6)
    expected = state_of(original)
    for name, parameter in model.net.named_parameters():
        gradient = parameter.grad.numpy()
        squares = gradient**2
        if name == "embedding.weight":
            squares = np.zeros_like(gradient)
            np.add.at(squares, tokens.ravel(), each**2)
        found = parameter.detach().numpy() - 1e-3 * gradient / np.sqrt(0.1 * squares + 1e-7)
        np.testing.assert_allclose(found, expected[name], rtol=0, atol=2e-6, err_msg=name)


def gradient_of_each_token(model, tokens, labels):
    """The gradient at every single token: each gets a row of its own in a larger embedding."""
    spread = copy.deepcopy(model)
    rows = model.net.embedding.weight.detach()[torch.from_numpy(tokens.astype("int64")).flatten()]
    spread.net.embedding = torch.nn.Embedding.from_pretrained(rows, freeze=False)
    ids = torch.arange(tokens.size).reshape(tokens.shape)
    spread.loss(spread(ids), torch.from_numpy(labels)).backward()
    return spread.net.embedding.weight.grad.numpy()


def sigmoid_alone():
    """A Keras model that turns given logits into probabilities, judged as on the page."""
    return compiled(keras.Sequential([keras.Input((1,)), keras.layers.Activation("sigmoid")]), "rmsprop")


def judged(logits, labels):
    """lit_al's evaluation of given logits, in batches of 256."""
    model = LitBiLSTM()
    model.net = torch.nn.Identity()
    tensors = torch.tensor(logits, dtype=torch.float32), torch.tensor(labels)
    return evaluate(model, zip(*(tensor.split(256) for tensor in tensors), strict=True))


def test_loss_and_metrics_agree_with_keras():
    rng = np.random.default_rng(0)
    logits = np.concatenate([rng.normal(0, 3, 540), [0.0] * 20, [30, -30, 80, -80, 1e-6, -1e-6] * 2]).astype("float32")
    labels = rng.integers(0, 2, len(logits))
    loss, accuracy, false_negatives, false_positives = sigmoid_alone().evaluate(
        logits[:, None], labels[:, None], batch_size=256, verbose=0
    )
    found = judged(logits, labels)
    assert found.loss == pytest.approx(loss, rel=1e-6)
    assert found.accuracy == pytest.approx(accuracy, abs=1e-7)
    assert found.confusion.false_negatives == false_negatives
    assert found.confusion.false_positives == false_positives
    assert 0 < labels[540:560].sum() < 20  # a probability of exactly 0.5 is class 0 to both, whatever the label


def test_logit_whose_probability_rounds_to_a_half_is_class_1_here_and_class_0_in_keras():
    """A disagreement of no weight: Keras looks at the probability, lit_al at the logit."""
    for logit, missed in [(1e-8, 1), (1e-6, 0)]:
        *_, false_negatives, _ = sigmoid_alone().evaluate(np.array([[logit]]), np.array([[1]]), verbose=0)
        assert false_negatives == missed
        assert judged([logit], [1]).confusion.false_negatives == 0


# --- Stopping and the best checkpoint ---------------------------------------------------------------------------------


class Stub:
    """What Keras's callbacks ask of a model."""

    metrics = ()
    stop_training = False

    def __init__(self):
        self.saves = 0

    def save(self, path, **options):
        self.saves += 1


def keras_run(fits):
    """Epochs of each fit, and (fit, epoch) of the best checkpoint of all, by Keras's callbacks used as on the page."""
    checkpoint = keras.callbacks.ModelCheckpoint("AL_Model.keras", save_best_only=True)
    epochs, best = [], None
    for fit, losses in enumerate(fits):
        stopping, model = keras.callbacks.EarlyStopping(patience=4), Stub()
        for callback in (stopping, checkpoint):
            callback.set_model(model)
            callback.on_train_begin()
        for epoch, loss in enumerate(losses):  # the last one is read below
            saved = model.saves
            for callback in (stopping, checkpoint):
                callback.on_epoch_end(epoch, {"val_loss": float(np.float32(loss))})
            best = (fit, epoch) if model.saves > saved else best
            if model.stop_training:
                break
        epochs.append(epoch + 1)
    return epochs, best


class Scripted(L.LightningModule):
    """Learns nothing and reports given validation losses, one per epoch."""

    def __init__(self):
        super().__init__()
        self.fit_number = torch.nn.Parameter(torch.zeros(()))
        self.losses = []

    def training_step(self, batch, batch_index):
        return self.fit_number * 0

    def validation_step(self, batch, batch_index):
        self.log("val_loss", torch.tensor(self.losses[self.current_epoch], dtype=torch.float32))

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.0)


def lightning_run(fits, folder):
    """As `keras_run`, by the Trainers and the callbacks of `ActiveLearner`."""
    model, epochs = Scripted(), []
    learner = ActiveLearner(model, None, folder=folder, max_epochs=20, accelerator="cpu")
    for fit, losses in enumerate(fits):
        model.losses = losses
        torch.nn.init.constant_(model.fit_number, fit)
        learner.max_epochs = len(losses)
        trainer = learner.trainer()
        trainer.fit(model, [torch.zeros(1)], [torch.zeros(1)])
        epochs.append(trainer.current_epoch)
    if not learner.best.best_model_path:
        return epochs, None
    state = torch.load(learner.best.best_model_path, weights_only=True)
    return epochs, (int(state["state_dict"]["fit_number"]), state["epoch"])


def walk(seed, epochs=20):
    """A falling and rising loss with noise and with equal values, as float32."""
    rng = np.random.default_rng(seed)
    curve = 0.35 + 0.02 * np.abs(np.arange(epochs) - rng.integers(0, 12)) + rng.normal(0, 0.03, epochs)
    return np.round(curve, 2).tolist()


@pytest.mark.parametrize(
    ("fits", "epochs"),
    [
        pytest.param([[0.5 - 0.01 * epoch for epoch in range(20)]], [20], id="falling"),
        pytest.param([[0.5 + 0.01 * epoch for epoch in range(20)]], [5], id="rising"),
        pytest.param([[0.5] * 20], [5], id="equal is not lower"),
        pytest.param(
            [[0.5, 0.6, 0.6, 0.6, 0.4, 0.6, 0.6, 0.6, 0.6, 0.1]], [9], id="saved in the last epoch of patience"
        ),
        pytest.param([[0.5, 0.6, 0.6, 0.6, 0.6, 0.4]], [5], id="one epoch too late"),
        pytest.param([[0.5, 0.49999997, 0.6, 0.6, 0.6, 0.49999994, 0.6]], [7], id="lower by one float32"),
        pytest.param(
            [[0.4, 0.5, 0.5, 0.5, 0.5], [0.6, 0.5, 0.45, 0.5, 0.5, 0.5, 0.5]], [5, 7], id="best of another fit"
        ),
        pytest.param([[0.4, 0.5], [0.4, 0.5], [0.3, 0.2], [0.2, 0.2]], [2, 2, 2, 2], id="first of equals"),
        pytest.param([walk(0), walk(1), walk(2), walk(3)], None, id="walks 0"),
        pytest.param([walk(4), walk(5), walk(6), walk(7)], None, id="walks 1"),
    ],
)
def test_fits_stop_and_save_where_keras_does(fits, epochs, tmp_path):
    expected = keras_run(fits)
    assert lightning_run(fits, tmp_path) == expected
    assert epochs is None or expected[0] == epochs


NAN, INF = math.nan, math.inf


@pytest.mark.parametrize(
    ("losses", "theirs", "ours"),
    [
        pytest.param([0.5, NAN, 0.4, 0.6, 0.3, 0.2], (6, 5), (2, 0), id="nan, then better"),
        pytest.param([0.5, NAN, NAN, NAN, NAN, NAN, 0.1], (5, 0), (2, 0), id="nan for good"),
        pytest.param([NAN, 0.5, 0.4, 0.3, 0.2, 0.1], (5, 0), (1, None), id="nan first"),
        pytest.param([0.5, INF, 0.4], (3, 2), (2, 0), id="infinite"),
    ],
)
def test_losses_that_are_not_finite_end_a_fit_here_but_not_in_keras(losses, theirs, ours, tmp_path):
    """A disagreement: Lightning's EarlyStopping ends the fit at once, Keras counts such an epoch as one not better.

    A NaN in the first epoch is Keras's best ever after, and what its checkpoint keeps; lit_al keeps none.
    """
    (epochs,), best = keras_run([losses])
    assert (epochs, best and best[1]) == theirs
    (epochs,), best = lightning_run([losses], tmp_path)
    assert (epochs, best and best[1]) == ours
