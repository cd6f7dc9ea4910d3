"""The example's `active` mode in Keras 3, from files to test accuracy, with a given number of epochs for each fit.

    python benchmarks/keras_active.py --data demo --backend tensorflow --epochs 10 6 5 5

The rival of `scripts/train.py --mode active`: the same texts and split sizes, vocabulary from the initial training
texts, batches of 256, false negatives and positives counted on the test set, 5,000 more texts shared between the
classes, validation and best weights after each epoch. It keeps the best weights in memory and draws no pictures.
"""

import argparse
import json
import os
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
WORDS, LENGTH, BATCH, QUERY = 3_000, 150, 256, 5_000


def make_model(keras: Any, *counts: str) -> Any:
    """The example's model, compiled as on its page, with its accuracy and further metrics by name."""
    layers, metrics = keras.layers, keras.metrics
    model = keras.Sequential(
        [
            layers.Input((LENGTH,), dtype="int32"),
            layers.Embedding(WORDS, 128),
            layers.Bidirectional(layers.LSTM(32, return_sequences=True)),
            layers.GlobalMaxPool1D(),
            layers.Dense(20, activation="relu"),
            layers.Dropout(0.5),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    measured = [getattr(metrics, name)() for name in ("BinaryAccuracy", *counts)]
    model.compile(loss="binary_crossentropy", optimizer="rmsprop", metrics=measured)
    return model


def encode(keras: Any, texts: list[str], initial: Ints) -> NDArray[np.int32]:
    """Word ids (N, T) of all texts; the vocabulary is that of the initial training texts."""
    import tensorflow as tf

    layer = keras.layers.TextVectorization(WORDS, output_sequence_length=LENGTH)
    layer.adapt(tf.data.Dataset.from_tensor_slices([texts[row] for row in initial]).batch(BATCH))
    mapped = tf.data.Dataset.from_tensor_slices(texts).batch(BATCH).map(layer, num_parallel_calls=tf.data.AUTOTUNE)
    return np.concatenate([part.numpy() for part in mapped.prefetch(tf.data.AUTOTUNE)]).astype(np.int32)


def shares(missed: float, claimed: float) -> tuple[int, int]:
    """Negatives and positives to label, as the page's code has it."""
    if not missed or not claimed:
        return QUERY // 2, QUERY // 2
    return int(QUERY * missed / (missed + claimed)), int(QUERY * claimed / (missed + claimed))


class Loop:
    """Fits and queries of the example."""

    def __init__(self, keras: Any, tokens: NDArray[np.int32], labels: Ints, split: Any) -> None:
        self.keras, self.model, self.tokens, self.labels, self.split = (
            keras,
            make_model(keras, "FalseNegatives", "FalsePositives"),
            tokens,
            labels,
            split,
        )
        self.rows, self.pool = split.labeled, split.pool
        self.best = float("inf")
        self.weights = self.model.get_weights()

    def fit(self, epochs: int) -> None:
        """One fit, in the end with the best weights of all fits so far."""
        keep = self.keras.callbacks.LambdaCallback(on_epoch_end=lambda _, logs: self._keep(logs["val_loss"]))
        self.model.fit(*self._part(self.rows), batch_size=BATCH, epochs=epochs, verbose=0, callbacks=[keep],
                       validation_data=self._part(self.split.validation))  # fmt: skip
        self.model.set_weights(self.weights)

    def query(self) -> None:
        """Count errors, take new texts of each class from the head of the pool."""
        _, _, missed, claimed = self.evaluate()
        taken = [
            self.pool[self.labels[self.pool] == side][:share] for side, share in enumerate(shares(missed, claimed))
        ]
        self.rows = np.concatenate([self.rows, *taken])
        self.pool = self.pool[~np.isin(self.pool, self.rows)]

    def evaluate(self) -> list[float]:
        """Loss, accuracy, false negatives and false positives on the test set."""
        found: list[float] = self.model.evaluate(*self._part(self.split.test), batch_size=BATCH, verbose=0)
        return found

    def _part(self, rows: Ints) -> tuple[NDArray[np.int32], Ints]:
        return self.tokens[rows], self.labels[rows]

    def _keep(self, loss: float) -> None:
        if loss < self.best:
            self.best, self.weights = loss, self.model.get_weights()


def main() -> None:
    """Run the example and print what it took."""
    parser = argparse.ArgumentParser(description="The example's active mode in Keras.")
    parser.add_argument("--data", default="demo")
    parser.add_argument("--backend", default="tensorflow", choices=["tensorflow", "jax"])
    parser.add_argument("--epochs", type=int, nargs="+", default=[10, 6, 5, 5], help="Of each fit.")
    options = parser.parse_args()
    began = time.perf_counter()
    os.environ["KERAS_BACKEND"] = options.backend
    import keras

    from lit_al import load_corpus
    from lit_al.data.split import stratified_split

    keras.utils.set_random_seed(0)
    corpus = load_corpus(options.data)
    split = stratified_split(corpus, seed=0)
    loop = Loop(keras, encode(keras, list(corpus.texts), split.labeled), corpus.labels, split)
    for number, epochs in enumerate(options.epochs):
        if number:
            loop.query()
        loop.fit(epochs)
    loss, accuracy, missed, claimed = loop.evaluate()
    print(
        json.dumps(
            {
                "backend": options.backend,
                "labels": len(loop.rows),
                "epochs": options.epochs,
                "accuracy": accuracy,
                "loss": loss,
                "false_negatives": missed,
                "false_positives": claimed,
                "seconds": time.perf_counter() - began,
            }
        )
    )


if __name__ == "__main__":
    main()
