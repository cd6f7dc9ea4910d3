"""Texts of a rare class that labeling finds: random asking, the page's own picks, and these with seed words.

    python benchmarks/rare.py --data trec.csv subj.csv waimai.csv --answers 300 --seeds 5

Of each corpus one class, the most frequent one, is thinned to 3 % of the texts; labels of all others stay. People
answer truly, 50 at a time, and a model learns in between as beside the page (`experiment.learning.Learner`). Seed
words of the rare class are the four words that ten of its texts, which are left out of the run, hold more often than
other texts do: what somebody who has seen ten of them might name. Half of the texts is not touched.
"""

import argparse
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from zoo import columns

from lit_al.annotate.seed_words import seeded
from lit_al.data import Corpus, load_corpus
from lit_al.data.split import shuffled
from lit_al.experiment.learning import Learner
from lit_al.utils.silence import quiet

SHARE, BATCH, TOLD, WORDS = 0.03, 50, 10, 4
WAYS = ("random", "page", "page, seed words")


def thinned(corpus: Corpus, seed: int) -> tuple[Corpus, int, list[str]]:
    """Half of the corpus with a rare class, which that is, and ten further texts of it."""
    rows = shuffled(corpus, seed)[: len(corpus) // 2]
    rare = int(np.bincount(corpus.labels[rows]).argmax())
    of_it, others = rows[corpus.labels[rows] == rare], rows[corpus.labels[rows] != rare]
    kept = of_it[TOLD : TOLD + round(SHARE / (1 - SHARE) * len(others))]
    return corpus.at(np.concatenate([others, kept])), rare, [corpus.texts[row] for row in of_it[:TOLD]]


def telling(told: Sequence[str], others: Sequence[str], *, spaced: bool) -> list[str]:
    """The words that most of the told texts hold and few others do; of texts without spaces pairs of signs."""

    def parts(text: str) -> set[str]:
        words = re.findall(r"\w+", text.casefold())
        return {*words} if spaced else {word[at : at + 2] for word in words for at in range(len(word) - 1)}

    mine, theirs = (Counter(part for text in texts for part in parts(text)) for texts in (told, others))
    score = {part: count / len(told) - theirs[part] / len(others) for part, count in mine.items()}
    return sorted(score, key=lambda part: (-score[part], part))[:WORDS]


def found(corpus: Corpus, rare: int, told: Sequence[str], seed: int, way: str, answers: int) -> Iterator[int]:
    """Texts of the rare class among the answers, after each batch."""
    learner = Learner(
        corpus.texts, corpus.classes, {"seed": seed, "retrain_every": BATCH}, groups=corpus.grouped.numbers
    )
    nobody = np.empty(0, np.int64)
    asked: list[int] = []
    ranked = learner.cold_start(answers)
    if way.endswith("seed words"):
        spaced = bool(np.mean([" " in text.strip() for text in corpus.texts]) > 0.5)
        words = {corpus.classes[rare]: telling(told, corpus.texts, spaced=spaced)}
        ranked = seeded(ranked, corpus.texts, words, learner.askable(nobody).tolist())
    if way == "random":
        asked = [one.item for one in ranked[:answers]]
        yield from (int((corpus.labels[asked[:end]] == rare).sum()) for end in range(BATCH, answers + 1, BATCH))
        return
    for number in range(1, answers // BATCH + 1):
        asked += [one.item for one in ranked if one.item not in asked][:BATCH]
        rows = np.array(asked)
        yield int((corpus.labels[rows] == rare).sum())
        if len(asked) < answers and len(np.unique(corpus.labels[rows])) > 1:
            learner.learn(rows, corpus.labels[rows], number)
            ranked = learner.rank()


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", nargs="+", required=True, help="Files.")
    parser.add_argument("--answers", type=int, default=300)
    parser.add_argument("--seeds", type=int, default=5)
    asked = parser.parse_args()
    quiet()
    print("| corpus, rare class | texts, of it | " + " | ".join(WAYS) + " |\n|---|---|" + "---|" * len(WAYS))
    for data in asked.data:
        corpus = load_corpus(data, **columns(data))
        counts: dict[str, list[int]] = {way: [] for way in WAYS}
        for seed in range(asked.seeds):
            thin, rare, told = thinned(corpus, seed)
            for way in WAYS:
                counts[way].append(list(found(thin, rare, told, seed, way, asked.answers))[-1])
        shown = " | ".join(f"{np.median(each):.0f} ({min(each)} to {max(each)})" for each in counts.values())
        head = f"{Path(data).stem}, {thin.classes[rare]} | {len(thin):,}, {(thin.labels == rare).sum()}"
        print(f"| {head} | {shown} |", flush=True)


if __name__ == "__main__":
    main()
