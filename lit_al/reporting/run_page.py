"""The report of one run, from its `results.json`: what it reached, what is wrong with its protocol, what it picked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lit_al.data import Corpus
from lit_al.data.beside import Beside
from lit_al.loop.query import Query
from lit_al.metrics import COLLAPSED, RARE, percent
from lit_al.reporting import figures, pages
from lit_al.utils.cells import cell_at, word_of
from lit_al.utils.folders import read_results, write_text

Results = Mapping[str, Any]

SHOWN = 20  # texts of each round
LONGEST = 400  # characters shown of a text: more would bury the table


@dataclass(frozen=True)
class Picked:
    """A text that was chosen to be labeled.

    Attributes:
        round: of its choice, from 1.
        row: its id.
        text: whole.
        probabilities: (C,) of each class, under the model that chose.
        label: that it got; "" for none.
        beside: its id of the user's own, if it has one, and the other columns of its row; words.
    """

    round: int
    row: int
    text: str
    probabilities: tuple[float, ...]
    label: str
    beside: str = ""

    @property
    def shown(self) -> str:
        """The text, cut where it is long."""
        return _cut(self.text)


def _cut(words: str) -> str:
    more = len(words) - LONGEST
    return words if more <= 0 else f"{words[:LONGEST].rstrip()} … ({more:,} more characters)"


def _in_words(row: Mapping[str, Any], id_column: str | None) -> str:
    """The cells of a row that hold something, the id first."""
    cells = {**({id_column: cell_at(row, id_column)} if id_column else {}), **row}
    return _cut(", ".join(f"{name}: {word_of(cell)}" for name, cell in cells.items() if cell not in (None, "")))


def picked_texts(queries: Sequence[Query], corpus: Corpus, beside: Beside, most: int = SHOWN) -> list[Picked]:
    """The first texts of each batch, so many at most: a page with ten thousand texts is read by nobody."""
    return [
        Picked(
            round=query.number,
            row=row,
            text=corpus.texts[row],
            probabilities=tuple(probabilities),
            label=corpus.classes[answer] if answer >= 0 else "",
            beside=_in_words(beside.row(row), corpus.id_column),
        )
        for query in queries
        if query.probabilities is not None
        for row, probabilities, answer in zip(
            query.rows[:most].tolist(), query.probabilities[:most].tolist(), query.said[:most].tolist(), strict=True
        )
    ]


def write_run_report(folder: Path, picked: Sequence[Picked] = ()) -> Path:
    """Read `results.json` of a run; write `report.html` beside it.

    Args:
        folder: of the run.
        picked: texts to show, in the order chosen; they are not in `results.json`.

    Raises:
        DataError: no results, broken ones, or those of another schema.
        RunError: the folder cannot be written.
    """
    path = folder / "report.html"
    write_text(path, run_page(read_results(folder), picked))
    return path


def run_page(results: Results, picked: Sequence[Picked] = ()) -> str:
    """The report as HTML.

    Args:
        results: contents of `results.json`, of any mode.
        picked: texts to show.
    """
    demo, run = results["data"]["demo"], _seen(results)
    if results["mode"] == "compare":
        parts = [_seen(results["full"]), _seen(results["active"])]
        return pages.render("compare.html", demo=demo, run=run, parts=parts, picked=())
    return pages.render("fit.html" if results["mode"] == "fit" else "run.html", demo=demo, run=run, picked=picked)


def _seen(results: Results) -> Results:
    """Results with what a page shows besides: pictures in SVG by name, rare classes, rounds that went wrong."""
    pictures = {name: figures.save(figure, "svg") for name, figure in figures.figures(results).items()}
    notes = [note for entry in results.get("rounds", ()) if (note := _note(entry))]
    judged = results.get("test") or results.get("cross_validation") or {}
    measured = judged.get("per_class", {})  # there is no test yet, or an older version made it
    rare = [name for name, found in measured.items() if found["support"] < RARE]
    return {**results, "pictures": pictures, "notes": notes, "rare": rare, "rare_below": RARE}


def _note(entry: Mapping[str, Any]) -> str:
    """What went wrong in a round, if anything did."""
    counts = entry["taken"].values()
    notes = ["it took what was left of the pool"] if entry["short"] else []
    if sum(counts) and max(counts) >= COLLAPSED * sum(counts):
        notes.append(f"{percent(max(counts) / sum(counts))} of its texts are of one class")
    notes += [entry["warning"]] if entry.get("warning") else []
    return f"Round {entry['round']}: {'; '.join(notes)}." if notes else ""
