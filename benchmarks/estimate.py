"""Does the interval of the newest model's accuracy cover it? The table of docs/estimate.md.

    python benchmarks/estimate.py --data demo --repetitions 200                  # stand-ins, seconds a run
    python benchmarks/estimate.py --data demo --network lean,scratch --repetitions 4   # the network, minutes a run

A run asks for labels as the lean loop does, margin picks with random controls, and is judged whenever it has come to
so many controls. Stand-ins are logistic regression on 60 latent directions of the texts (LSA), cheap enough for
hundreds of runs: `steady` learns as a teacher does, a little with every label; the weights of `unsteady` are drawn anew
around that in every round, as fresh networks differ; `abrupt` is `unsteady` that knows nearly nothing up to a number of
labels between 120 and 900, and then all that its labels teach. The truth is what the estimate speaks of: the newest
model's share of right answers over the whole pool, where texts that it has learned count by models that learned all
folds of ten but theirs. Of the network it is the accuracy on texts outside the pool, as folds cost ten times the fits.

The interval by all controls alike, each by the model of its time, stands beside it for comparison.
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import torch

from lit_al.data import Corpus, load_corpus
from lit_al.loop.active_loop import ActiveLoop
from lit_al.loop.estimation import Estimate
from lit_al.loop.query import Query
from lit_al.loop.state import Judgment, LoopState
from lit_al.loop.stopping_monitor import StoppingMonitor
from lit_al.oracles import SimulatedOracle
from lit_al.strategies import Context, Pool, choose, make_strategy
from lit_al.text.cache import encoded
from lit_al.text.encoder import TextEncoder
from lit_al.training.pretraining import learn
from lit_al.training.recipe import make_recipe
from lit_al.training.step_training import StepTraining
from lit_al.utils.intervals import wilson
from lit_al.utils.silence import quiet

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Model = Callable[[Floats], Floats]

DIRECTIONS: Final = 60
UNSTEADY: Final = 0.5  # sd of the weights' noise, in units of their root mean square
FOLDS: Final = 10
OUTSIDE: Final = 2_000  # texts that judge the network


@dataclass(frozen=True)
class Design:
    """How a pool is asked: the first texts at random, then batches with a share of controls."""

    pool: int
    first: int
    batch: int
    share: float
    judged: tuple[int, ...]  # controls at which a run is judged

    @property
    def schedule(self) -> list[int]:
        """Questions in all by the end of each batch."""
        rounds = max(self.judged) // round(self.share * self.batch)
        return [self.first + self.batch * number for number in range(rounds + 1)]

    @property
    def strategy(self) -> str:
        """Margin picks with controls."""
        return f"margin+random:{self.share:g}"


DESIGNS: Final = (
    Design(300, 30, 30, 1 / 3, (30, 60, 90)),  # 90: all texts are asked
    Design(2_000, 100, 100, 0.1, (30, 60, 120, 190)),  # 190: likewise
    Design(20_000, 100, 100, 0.1, (30, 60, 120, 240)),
)


@dataclass(frozen=True)
class Case:
    """A run judged once.

    Attributes:
        recipe: what learned.
        pool: texts.
        controls: that it was judged by.
        truth: what is estimated.
        estimate: of the newest model's accuracy over the whole corpus.
        alike: by all controls alike.
    """

    recipe: str
    pool: int
    controls: int
    truth: float
    estimate: Estimate
    alike: Estimate


def case(recipe: str, design: Design, truth: float, monitor: StoppingMonitor, run: LoopState) -> Case:
    """A run as it is now."""
    controls, right = (sum(getattr(one, name) for one in run.judgments) for name in ("controls", "right"))
    assert monitor.estimate is not None  # there are enough controls
    return Case(recipe, design.pool, controls, truth, monitor.estimate, Estimate(right / controls, controls, controls))


# --- Stand-ins --------------------------------------------------------------------------------------------------------


def directions(corpus: Corpus, rows: Ints) -> Floats:
    """(n, 60) latent directions of texts, of length 4."""
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer

    counts = TfidfVectorizer(min_df=3, sublinear_tf=True, max_features=20_000)
    found = TruncatedSVD(DIRECTIONS, random_state=0).fit_transform(
        counts.fit_transform([corpus.texts[row] for row in rows])
    )
    scaled: Floats = 4 * found / (np.linalg.norm(found, axis=1, keepdims=True) + 1e-9)
    return scaled


class StandIn:
    """A learner with the manners of a network, or of a teacher.

    Args:
        kind: `steady`, `unsteady` or `abrupt`.
        seed: of all its chance.
        classes: C.
    """

    def __init__(self, kind: str, seed: int, classes: int) -> None:
        self.kind, self.seed, self.classes = kind, seed, classes
        self.jump = float(np.exp(np.random.default_rng([seed, 1]).uniform(np.log(120), np.log(900))))

    def fit(self, texts: Floats, answers: Ints, number: int, labels: int) -> Model:
        """The model of a round, or one like it on a part of its labels."""
        from sklearn.linear_model import LogisticRegression

        rng = np.random.default_rng([self.seed, 2, number])
        if self.kind == "abrupt" and labels < self.jump:
            answers = np.where(rng.random(len(answers)) < 0.9, rng.integers(0, self.classes, len(answers)), answers)
        if len(np.unique(answers)) < 2:
            only = np.eye(self.classes)[answers[:1]]
            return lambda asked: np.repeat(only, len(asked), axis=0)
        found = LogisticRegression(max_iter=60, tol=1e-3).fit(texts, answers)
        if self.kind != "steady":
            size = np.sqrt((found.coef_**2).mean())
            found.coef_ = found.coef_ + UNSTEADY * size * rng.standard_normal(found.coef_.shape)

        def model(asked: Floats) -> Floats:
            probabilities = np.zeros((len(asked), self.classes))
            probabilities[:, found.classes_] = found.predict_proba(asked)
            return probabilities

        return model


def stand_in(kind: str, design: Design, texts: Floats, labels: Ints, seed: int) -> Iterator[Case]:
    """One run."""
    rows = np.sort(np.random.default_rng([seed, 3]).choice(len(labels), design.pool, replace=False))
    learner = StandIn(kind, seed, int(labels.max()) + 1)
    run, monitor = (
        LoopState(seed, make_strategy(design.strategy), rows),
        StoppingMonitor(None, rows, seed),
    )
    choice = choose(make_strategy("random"), Pool(rows), design.first, Context(run.rng(0)))
    run.take(Query(0, "random", choice, answers=labels[choice.rows]))
    for number in range(len(design.schedule)):
        model = learner.fit(texts[run.labeled], run.answers, number, len(run.labeled))
        monitor.record(model(texts[monitor.rows]), run)
        if sum(one.controls for one in run.judgments) in design.judged:
            yield case(kind, design, whole(learner, model, run, texts, labels, number), monitor, run)
        if number < len(design.schedule) - 1:
            ask(run, model, design.batch, number, texts, labels)


def ask(run: LoopState, model: Model, n: int, number: int, texts: Floats, labels: Ints) -> None:
    """Choose a batch by the model of a round, and judge it before anything is learned."""
    found = model(texts[run.pool]).astype(np.float32)
    choice = choose(run.strategy, Pool(run.pool, probabilities=found), n, Context(run.rng(number + 1)))
    right = found.argmax(axis=1)[np.searchsorted(run.pool, choice.rows)] == labels[choice.rows]
    run.judgments.append(Judgment.of(number, len(run.pool), right, choice.controls))
    run.take(Query(number + 1, run.strategy.spelling, choice, answers=labels[choice.rows]))


def whole(learner: StandIn, model: Model, run: LoopState, texts: Floats, labels: Ints, number: int) -> float:
    """The truth: share of right answers over the whole pool, of learned texts by models that learned other folds."""
    rows = run.labeled
    folds = np.random.default_rng([run.seed, 4, number]).permutation(len(rows)) % FOLDS
    right = int((model(texts[run.pool]).argmax(axis=1) == labels[run.pool]).sum()) if len(run.pool) else 0
    for fold in range(FOLDS):
        out = folds == fold
        like = learner.fit(texts[rows[~out]], run.answers[~out], number, len(rows))
        right += int((like(texts[rows[out]]).argmax(axis=1) == labels[rows[out]]).sum())
    return right / (len(rows) + len(run.pool))


def stand_ins(corpus: Corpus, designs: list[Design], repetitions: int, first: int) -> Iterator[Case]:
    """Many runs of each kind in pools of each size."""
    rows = np.random.default_rng(0).permutation(np.flatnonzero(corpus.labels >= 0))[:25_000]
    texts, labels = directions(corpus, rows), corpus.labels[rows]
    for design in designs:
        for kind in ("steady", "unsteady", "abrupt"):
            for seed in range(first, first + repetitions):
                yield from stand_in(kind, design, texts, labels, seed)


# --- The network ------------------------------------------------------------------------------------------------------


def networks(
    corpus: Corpus, recipe: str, design: Design, seeds: list[int], max_length: int, together: int = 4
) -> Iterator[Case]:
    """Runs of the lean loop, a few side by side, judged on texts outside their pool."""
    rows = np.random.default_rng(0).permutation(np.flatnonzero(corpus.labels >= 0))
    outside, pool = np.sort(rows[:OUTSIDE]), np.sort(rows[OUTSIDE : OUTSIDE + design.pool])
    encoder = TextEncoder.fit((corpus.texts[row] for row in pool), vocabulary_size=3_000, max_length=max_length)
    tokens, how = torch.from_numpy(encoded(corpus, encoder)), make_recipe(recipe)
    for start in range(0, len(seeds), together):
        pretraining = learn(how, corpus, pool, encoder, tokens)
        loop = ActiveLoop(
            StepTraining(tokens, len(encoder.vocabulary), corpus.classes, recipe=how, pretraining=pretraining),
            pool,
            SimulatedOracle(corpus.labels),
            classes=len(corpus.classes),
            seeds=seeds[start : start + together],
            strategy=design.strategy,
            schedule=design.schedule,
        )
        monitors = [StoppingMonitor(None, pool, run.seed) for run in loop.states]
        for done in loop.rounds():
            found = done.method.score(np.stack([monitor.rows for monitor in monitors]))
            right = done.method.score(outside).argmax(axis=-1) == corpus.labels[outside]
            for monitor, run, seen, truth in zip(monitors, done.states, found, right, strict=True):
                monitor.record(seen, run)
                if sum(one.controls for one in run.judgments) in design.judged:
                    yield case(recipe, design, float(truth.mean()), monitor, run)


# --- The table --------------------------------------------------------------------------------------------------------


def table(cases: list[Case]) -> Iterator[str]:
    """Markdown: a row for each recipe, pool and number of controls, where runs are independent of each other."""
    yield "| recipe | pool | controls | runs | covers, its own interval | mean width | bias | alike: covers | width |"
    yield "|---|---|---|---|---|---|---|---|---|"
    keys = sorted({(one.recipe, one.pool, one.controls) for one in cases})
    for recipe, pool, controls in keys:
        ours = [one for one in cases if (one.recipe, one.pool, one.controls) == (recipe, pool, controls)]
        yield f"| {recipe} | {pool:,} | {controls} " + row(ours)
    for recipe in dict.fromkeys(recipe for recipe, *_ in keys):
        yield f"| {recipe} | all | all " + row([one for one in cases if one.recipe == recipe])
    yield "| **all** | | " + row(cases)


def row(cases: list[Case]) -> str:
    """What the cases of a row say."""
    hit, alike = (
        np.mean([low <= one.truth <= high for one in cases for low, high in [getattr(one, name).interval]])
        for name in ("estimate", "alike")
    )
    width, wide = (
        np.mean([high - low for one in cases for low, high in [getattr(one, name).interval]])
        for name in ("estimate", "alike")
    )
    bias = np.mean([one.estimate.accuracy - one.truth for one in cases])
    low, high = wilson(float(hit), len(cases))
    shown = f"{hit:.3f} ({low:.3f} to {high:.3f}) | {width:.3f} | {100 * bias:+.1f} | {alike:.3f} | {wide:.3f} |"
    return f"| {len(cases)} | {shown}"


def main() -> None:
    """Run and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", default="demo", help="As of train.py, several with commas between them.")
    parser.add_argument("--demo-rows", type=int, default=25_000, help="Reviews to generate.")
    parser.add_argument("--pools", default="300,2000,20000", help="Sizes, of those in DESIGNS.")
    parser.add_argument("--repetitions", type=int, default=200, help="Runs of each kind, pool and corpus.")
    parser.add_argument("--first", type=int, default=0, help="Seed of the first.")
    parser.add_argument("--network", default="", help="Recipes of the network, as in lean,scratch, not the stand-ins.")
    parser.add_argument("--max-length", type=int, default=150, help="Words of a text that the network reads.")
    options = parser.parse_args()
    quiet()
    sizes, cases = {int(size) for size in options.pools.split(",")}, list[Case]()
    for data in options.data.split(","):
        corpus = load_corpus(data, demo_rows=options.demo_rows)
        least = {one: one.pool + (OUTSIDE if options.network else 0) for one in DESIGNS}
        designs = [one for one in DESIGNS if one.pool in sizes and least[one] <= (corpus.labels >= 0).sum()]
        if not options.network:
            cases += stand_ins(corpus, designs, options.repetitions, options.first)
            continue
        seeds = list(range(options.first, options.first + options.repetitions))
        for recipe in options.network.split(","):
            for design in designs:
                for one in networks(corpus, recipe, design, seeds, options.max_length):
                    cases.append(one)
                    print(data, one, file=sys.stderr, flush=True)  # hours of work are not lost with the last
    print("\n".join(table(cases)))


if __name__ == "__main__":
    main()
