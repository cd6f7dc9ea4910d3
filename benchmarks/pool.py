"""What learning from the pool costs: seconds and memory of each part, once for a corpus, and of one fit.

    python benchmarks/pool.py --data ../shared/data/imdb --more ../shared/data/imdb/unsupervised.parquet

Every part is computed anew, in a cache folder of its own. The last row is a fit on the labels alone, to compare with.
"""

import argparse
import logging
import os
import tempfile
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from lit_al.data import Corpus, load_corpus
from lit_al.data.split import stratified_split
from lit_al.loop.active_loop import ActiveLoop
from lit_al.oracles import SimulatedOracle
from lit_al.text.encoder import TextEncoder
from lit_al.text.ppmi import word_vectors
from lit_al.text.tfidf import text_features
from lit_al.training.pretraining import learn, pretrain
from lit_al.training.recipe import Recipe, make_recipe
from lit_al.training.step_training import StepTraining
from lit_al.typing import UNLABELED
from lit_al.utils.folders import peak_memory_mb


def main() -> None:
    """Measure and print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", default="demo", help="As of train.py.")
    parser.add_argument("--more", help="A Parquet file with a column `text` of further unlabeled texts.")
    parser.add_argument("--labels", type=int, default=1_000, help="Of the fit.")
    parser.add_argument("--max-length", type=int, default=400)
    parser.add_argument("--vocabulary-size", type=int, default=20_000)
    options = parser.parse_args()
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module="lightning")
    with tempfile.TemporaryDirectory() as cache:
        os.environ["LIT_AL_CACHE"] = cache
        measure(options)


def measure(options: argparse.Namespace) -> None:
    """One part after the other."""
    corpus = load_corpus(options.data)
    split = stratified_split(corpus, seed=0)
    own = np.concatenate([split.validation, split.labeled, split.pool])
    rows = own
    if options.more:
        import pyarrow.parquet as parquet

        more = parquet.read_table(options.more, columns=["text"])["text"].to_pylist()
        rows = np.concatenate([own, np.arange(len(corpus), len(corpus) + len(more))])
        labels = np.concatenate([corpus.labels, np.full(len(more), UNLABELED)])
        corpus = Corpus([*corpus.texts, *more], labels, corpus.classes, corpus.source)
    print(f"{len(rows):,} texts to learn from, {options.labels:,} labels, {torch.get_num_threads()} threads\n")
    print("| part | seconds | peak memory, MB |\n|---|---|---|")
    encoder = timed(
        "vocabulary",
        lambda: TextEncoder.fit(
            (corpus.texts[row] for row in rows),
            vocabulary_size=options.vocabulary_size,
            max_length=options.max_length,
            cut="middle",
        ),
    )
    tokens = timed("encoding", lambda: torch.from_numpy(encoder.encode(corpus.texts)))
    ours = tokens[torch.from_numpy(rows)]
    vectors = timed("word vectors", lambda: word_vectors(ours, len(encoder.vocabulary)))
    features = timed("features of the whole texts", lambda: text_features(corpus, rows))
    directions = features.directions[corpus.in_order(rows), :100]
    start = {"embedding.weight": vectors.numpy()}
    timed(
        "pretraining (not part of lean)",
        lambda: pretrain(tokens, corpus.in_order(rows), directions, len(encoder.vocabulary), start, masked=True),
    )
    for name in ("lean", "scratch"):
        recipe = make_recipe(name, Recipe(masked=True))
        pretraining = learn(recipe, corpus, rows, encoder, tokens)
        method = StepTraining(tokens, len(encoder.vocabulary), corpus.classes, recipe=recipe, pretraining=pretraining)
        loop = ActiveLoop(
            method, own, SimulatedOracle(corpus.labels), classes=len(corpus.classes), seeds=[0],
            schedule=(options.labels,),
        )  # fmt: skip
        timed(f"one fit by the recipe {name}", lambda loop=loop: next(loop.rounds()))


def timed(name: str, part: Callable[[], Any]) -> Any:
    """Do it, and print how long it took."""
    began = time.perf_counter()
    made = part()
    print(f"| {name} | {time.perf_counter() - began:.1f} | {peak_memory_mb():,.0f} |", flush=True)
    return made


if __name__ == "__main__":
    main()
