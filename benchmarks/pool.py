"""What learning from the pool costs: seconds and memory of each part, once for a corpus, and of one fit.

    python benchmarks/pool.py --data ../shared/data/imdb --more ../shared/data/imdb/unsupervised.parquet

    python benchmarks/pool.py --rounds --data ../shared/data/others/trec.csv --labels 250 1000

Every part is computed anew, in a cache folder of its own. The last row is a fit on the labels alone, to compare with.
With `--rounds` it is what a round costs, part by part, in seconds of computing of all threads, which other work on the
machine changes less than the clock; and how many times as much that is as TF-IDF and logistic regression, learned from
the same pool and labels in the same run, with the pool scored. What comes before a round is then taken from the cache.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any
from unittest.mock import patch

import numpy as np
import torch

from lit_al.data import Corpus, load_corpus
from lit_al.data.split import shuffled, stratified_split, without
from lit_al.loop.active_loop import ActiveLoop
from lit_al.oracles import SimulatedOracle
from lit_al.text.encoder import TextEncoder, suited_encoder
from lit_al.text.ppmi import word_vectors
from lit_al.text.tfidf import text_features
from lit_al.training import step_training
from lit_al.training.linear_training import LinearFeatures, LinearTraining
from lit_al.training.pretraining import learn, pretrain
from lit_al.training.recipe import Recipe, make_recipe
from lit_al.training.step_training import StepTraining
from lit_al.typing import UNLABELED, Rows
from lit_al.utils.folders import peak_memory_mb
from lit_al.utils.silence import quiet


def main() -> None:
    """Measure and print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", default="demo", help="As of train.py.")
    parser.add_argument("--more", help="A Parquet file with a column `text` of further unlabeled texts.")
    parser.add_argument("--labels", type=int, nargs="+", default=[1_000], help="Of the fit, or of each round.")
    parser.add_argument("--rounds", action="store_true", help="What a round costs, instead of what comes before it.")
    parser.add_argument("--label-column", default=None, help="Of a CSV file whose label column has no usual name.")
    parser.add_argument("--max-length", type=int, default=400)
    parser.add_argument("--vocabulary-size", type=int, default=20_000)
    options = parser.parse_args()
    quiet()
    with tempfile.TemporaryDirectory() as cache:
        if not options.rounds:  # which need what comes before them, and may take it from the cache
            os.environ["LIT_AL_CACHE"] = cache
        (rounds if options.rounds else measure)(options)


def rounds(options: argparse.Namespace) -> None:
    """A round of so many random labels: the fit, and the choice of a hundred more."""
    corpus = load_corpus(options.data, label_column=options.label_column)
    split = stratified_split(corpus, seed=0)
    pool = without(shuffled(corpus, 0), split.test)
    encoder, _ = suited_encoder(
        [corpus.texts[row] for row in pool],
        vocabulary_size=options.vocabulary_size,
        max_length=options.max_length,
        how="unicode",
        cut="middle",
    )
    tokens = torch.from_numpy(encoder.encode(corpus.texts))
    recipe = make_recipe("lean", Recipe(masked=True))
    pretraining = learn(recipe, corpus, pool, encoder, tokens)
    given = {"recipe": recipe, "pretraining": pretraining}
    for warm_up in (True, False):  # loops are compiled and libraries loaded
        if not warm_up:
            print(f"{len(pool):,} texts, {torch.get_num_threads()} threads, load {os.getloadavg()[0]:.1f}\n")
            print(
                "| labels | teacher | student | steps | choosing | whole, CPU s | by the clock | TF-IDF + LR | times |"
            )
            print("|---|---|---|---|---|---|---|---|---|")
        for labels in options.labels[:1] if warm_up else options.labels:
            row = round_of(corpus, pool, tokens, len(encoder.vocabulary), labels, given)
            if not warm_up:
                print(row, flush=True)


def round_of(corpus: Corpus, pool: Rows, tokens: torch.Tensor, words: int, labels: int, given: dict[str, Any]) -> str:
    """A line of the table."""
    spent = dict.fromkeys(("teach", "study"), 0.0)

    def watched(name: str, part: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            before = time.process_time()
            try:
                return part(*arguments, **options)
            finally:
                spent[name] += time.process_time() - before

        return call

    def asked(method: Any, schedule: tuple[int, ...]) -> ActiveLoop:
        return ActiveLoop(
            method, pool, SimulatedOracle(corpus.labels), classes=len(corpus.classes), seeds=[0], schedule=schedule,
            strategy="margin+balanced+random:0.1",
        )  # fmt: skip

    method = StepTraining(tokens, words, corpus.classes, **given)
    loop = asked(method, (labels, labels + 100))
    with ExitStack() as stack:
        for name in spent:
            stack.enter_context(patch.object(step_training, name, watched(name, getattr(step_training, name))))
        began, clock = time.process_time(), time.perf_counter()
        next(loop.rounds())
        fitted = time.process_time()
        loop.next_queries()
        ended, clock = time.process_time(), time.perf_counter() - clock
    linear = time.process_time()
    next(asked(LinearTraining(LinearFeatures(corpus, pool), len(corpus.classes), "tfidf-lr"), (labels,)).rounds())
    linear = time.process_time() - linear
    teacher, student = spent.values()
    return (
        f"| {labels:,} | {teacher:.1f} | {student:.1f} | {method.record.steps:,} | {ended - fitted:.1f} | "
        f"{ended - began:.1f} | {clock:.1f} | {linear:.2f} | {(ended - began) / linear:.0f} |"
    )


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
        truth = np.concatenate([corpus.labels, np.full(len(more), UNLABELED)])
        corpus = Corpus([*corpus.texts, *more], truth, corpus.classes, corpus.source)
    [labels] = options.labels
    print(f"{len(rows):,} texts to learn from, {labels:,} labels, {torch.get_num_threads()} threads\n")
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
            schedule=(labels,),
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
