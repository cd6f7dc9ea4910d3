"""`picks.jsonl` of a run: for each text that was chosen, in which round, why, and what was thought of it.

One JSON object a line, in the order chosen; docs/results-schema.md names the keys.
"""

import json
import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from lit_al.data import Corpus
from lit_al.data.beside import Beside
from lit_al.exceptions import DataError
from lit_al.loop.query import Query
from lit_al.record import sha256_of
from lit_al.utils.folders import write_text

FILE = "picks.jsonl"


@dataclass(frozen=True)
class Pick:
    """A text that was chosen to be labeled.

    Attributes:
        round: of its choice, from 1.
        row: its number in the corpus.
        label: name of the class that the oracle gave it; "" where it skipped.
        predicted: name of the likeliest class, under the model that chose.
        probabilities: of every class, by name.
        score: how much it was wanted; None where that is no finite number.
        reason: why it was chosen.
        control: drawn uniformly from the whole pool, whatever the strategy thought of it.
        sha256: of the text.
        id: of the user's own; None where no column of ids was named.
        columns: what stands beside the text in its row, by column.
    """

    round: int
    row: int
    label: str
    predicted: str
    probabilities: dict[str, float]
    score: float | None
    reason: str
    control: bool
    sha256: str = ""
    id: str | None = None
    columns: dict[str, Any] = field(default_factory=dict)


def picks_of(query: Query, corpus: Corpus, beside: Beside) -> list[Pick]:
    """What a batch holds, the first choice first; one that a model has chosen, and that was answered."""
    choice, known, classes = query.choice, query.probabilities, corpus.classes
    assert known is not None  # a model has chosen
    return [
        Pick(
            round=query.number,
            row=row,
            label=classes[label] if label >= 0 else "",
            predicted=classes[probabilities.argmax()],
            probabilities={name: round(float(p), 6) for name, p in zip(classes, probabilities, strict=True)},
            score=score if math.isfinite(score) else None,
            reason=reason,
            control=control,
            sha256=sha256_of(corpus.texts[row]),
            id=None if corpus.ids is None else corpus.ids[row],
            columns=beside.row(row),
        )
        for row, label, probabilities, score, reason, control in zip(
            choice.rows.tolist(),
            query.said.tolist(),
            known,
            choice.scores.tolist(),
            choice.reasons,
            choice.controls.tolist(),
            strict=True,
        )
    ]


def write_picks(folder: Path, queries: Iterable[Query], corpus: Corpus, beside: Beside) -> None:
    """Write the file anew, so that it is whole at any moment.

    Raises:
        RunError: it cannot be written.
    """
    picks = (pick for query in queries for pick in picks_of(query, corpus, beside))
    write_text(folder / FILE, "".join(json.dumps(asdict(pick), ensure_ascii=False) + "\n" for pick in picks))


def read_picks(folder: Path) -> list[Pick]:
    """The picks of all rounds.

    Raises:
        DataError: no such file, or a broken one.
    """
    path = folder / FILE
    try:
        with path.open(encoding="utf-8") as lines:
            return [Pick(**json.loads(line)) for line in lines]
    except OSError as error:
        raise DataError(
            f"{path} cannot be read: {error.strerror or error}; give the folder of a run that chose texts"
        ) from error
    except (ValueError, TypeError) as error:
        raise DataError(f"{path} holds no picks ({error}); was it written by another version of lit_al?") from error
