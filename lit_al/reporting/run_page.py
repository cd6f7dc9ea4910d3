"""The report of one run, from its `results.json`: what it reached, what is wrong with its protocol, what it picked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lit_al.data import Corpus
from lit_al.loop.query import Query
from lit_al.metrics import COLLAPSED, percent
from lit_al.reporting import figures, html
from lit_al.reporting.document import Block, Bullets, Document, Heading, Paragraph, Picture, Table
from lit_al.reporting.lean_page import lean_blocks
from lit_al.utils.folders import read_results, write_text

Results = Mapping[str, Any]

SHOWN = 20  # texts of each round
LONGEST = 400  # characters shown of a text: more would bury the table
_ALT = {
    "loss": "Training and validation loss over the epochs of all fits",
    "accuracy": "Training and validation accuracy over the epochs of all fits",
    "rounds": "Errors that steered each round, and labels taken of each class",
    "labels": "Test accuracy of each round's model over the labels spent, with what the run itself estimates",
    "batches": "Classes of each batch, as the oracle gave them and as the model took them before",
    "compare": "Accuracy, errors and seconds of the two runs",
}


@dataclass(frozen=True)
class Picked:
    """A text that was chosen to be labeled.

    Attributes:
        round: of its choice, from 1.
        row: its id.
        text: whole.
        probabilities: (C,) of each class, under the model that chose.
        label: that it got; "" for none.
    """

    round: int
    row: int
    text: str
    probabilities: tuple[float, ...]
    label: str


def picked_texts(queries: Sequence[Query], corpus: Corpus, most: int = SHOWN) -> list[Picked]:
    """The first texts of each batch, so many at most: a page with ten thousand texts is read by nobody."""
    return [
        Picked(
            round=query.number,
            row=row,
            text=corpus.texts[row],
            probabilities=tuple(probabilities),
            label=corpus.classes[answer] if answer >= 0 else "",
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
    write_text(path, html.render(run_document(read_results(folder), picked)))
    return path


def run_document(results: Results, picked: Sequence[Picked] = ()) -> Document:
    """The report as a document.

    Args:
        results: contents of `results.json`, of any mode.
        picked: texts to show.
    """
    if results["mode"] == "compare":
        blocks = _comparison(results)
    else:
        blocks = [*_status(results), *_body(results), *_picked(picked, results["data"]["classes"])]
    title = f"{results['mode'].capitalize()} run" if results["mode"] != "compare" else "Full against active"
    demo = bool(results["data"]["demo"])
    return Document(title, _subtitle(results), [*blocks, *_data(results)], demo)


def _subtitle(results: Results) -> str:
    """What `figures.title` says, less the loud words for a demo, which the page has of its own."""
    return f"{results['data']['source']} · {results['protocol']} protocol, seed {results['seeds']['seed']}"


def _comparison(results: Results) -> list[Block]:
    blocks: list[Block] = [Heading("Conclusion"), Paragraph(results["conclusion"], "lead"), *_pictures(results)]
    for part in ("full", "active"):
        inner = [_lowered(block) for block in _body(results[part])[1:]]
        blocks += [Heading(part.capitalize()), *_status(results[part]), *inner]
    return blocks


def _lowered(block: Block) -> Block:
    """A heading inside a section is a line of text."""
    return Paragraph(f"{block.text}:", "small") if isinstance(block, Heading) else block


def _body(results: Results) -> list[Block]:
    """Result, flaws, curves, rounds."""
    blocks: list[Block] = [Heading("Result"), *_result(results)]
    blocks += [Heading("What is wrong with this protocol"), *_flaws(results)]
    if results["epochs"] or results["rounds"]:
        blocks += [Heading("Curves and rounds"), *_pictures(results)]
    return [*blocks, *_rounds(results)]


def _status(results: Results) -> list[Block]:
    if results["status"] == "finished":
        return []
    if results["status"] == "waiting":
        return [
            Paragraph("This run waits for people to answer: its next texts are in the folder questions.", "warning")
        ]
    return [
        Paragraph(f"This run is not finished, its status is “{results['status']}”: it has no test figure.", "warning")
    ]


def _result(results: Results) -> list[Block]:
    spent, test = results["labels_spent"], results["test"]
    parts = ", ".join(f"{spent[name]:,} {name}" for name in spent if name != "total" and spent[name])
    labels = Paragraph(f"Labels spent: {spent['total']:,} ({parts}).")
    stop = [Paragraph(f"It stopped because {results['stop_reason']}.")] if results.get("stop_reason") else []
    if test is None:
        return [*_estimated(results), labels, *stop]
    lead = f"Test accuracy {_number(test['accuracy'])}, 95 % interval {_number(test['low'])} to {_number(test['high'])}"
    return [Paragraph(f"{lead}, loss {_number(test['loss'])}.", "lead"), labels, *stop, *_errors(results)]


def _estimated(results: Results) -> list[Block]:
    """What stands for a test figure where no label was set aside for one."""
    found = results.get("estimate")
    if found is None:
        needs = results.get("estimate_needs") if results.get("follows") == "controls" else None
        return [Paragraph(f"Accuracy not known yet: {needs} more random controls are needed.", "lead")] if needs else []
    interval = f"95 % interval {_number(found['low'])} to {_number(found['high'])}"
    lead = (
        f"Accuracy of the newest model over the whole corpus {_number(found['accuracy'])}, {interval}, by "
        f"{found['rows']:,} random controls."
    )
    return [Paragraph(lead, "lead")]


def _errors(results: Results) -> list[Block]:
    """Errors of each class on the test set, and the confusion where it is known."""
    test, classes = results["test"], results["data"]["classes"]
    rows = tuple(
        (name, f"{test['errors'][name]['false_negatives']:,}", f"{test['errors'][name]['false_positives']:,}")
        for name in classes
    )
    head = ("class", "missed (false negatives)", "taken for it (false positives)")
    blocks: list[Block] = [Table("errors on the test set", head, rows)]
    if test.get("confusion"):
        counts = zip(classes, test["confusion"], strict=True)
        table = tuple((name, *(f"{count:,}" for count in row)) for name, row in counts)
        blocks.append(Table("confusion on the test set: rows true, columns predicted", ("", *classes), table))
    return blocks


def _flaws(results: Results) -> list[Block]:
    known = tuple(f"It {clause}." for clause in results["flaws"])
    if results["protocol"] == "lean":
        warnings = [Paragraph(clause, "warning") for clause in known]
        return [*warnings, Paragraph(("" if known else "No flaw is known. ") + results["test_use"])]
    if known:
        return [Bullets(known)]
    return [Paragraph("No flaw is known.")]


def _pictures(results: Results) -> list[Picture]:
    return [Picture(name, _ALT[name], figures.save(figure, "svg")) for name, figure in figures.figures(results).items()]


def _rounds(results: Results) -> list[Block]:
    if not results["rounds"]:
        return []
    if results["protocol"] == "lean":
        return lean_blocks(results)
    classes = results["data"]["classes"]
    rows = tuple(_round(entry, classes) for entry in results["rounds"])
    columns = ("accuracy", "loss", "FN", "FP", *(f"{name} taken" for name in classes), "labels after", "seconds")
    chosen = f", chosen by {results['strategy']}" if results.get("strategy") else ""
    caption = f"rounds: the errors before them ({results['steer_on']} set) and what they took{chosen}"
    return [
        Table(caption, ("round", *columns), rows),
        *(_note(entry) for entry in results["rounds"] if _note(entry).text),
    ]


def _note(entry: Mapping[str, Any]) -> Paragraph:
    """What went wrong in a round, if anything did."""
    counts = entry["taken"].values()
    notes = ["it took what was left of the pool"] if entry["short"] else []
    if sum(counts) and max(counts) >= COLLAPSED * sum(counts):
        notes.append(f"{percent(max(counts) / sum(counts))} of its texts are of one class")
    notes += [entry["warning"]] if entry.get("warning") else []
    return Paragraph(f"Round {entry['round']}: {'; '.join(notes)}." if notes else "", "small")


def _round(entry: Mapping[str, Any], classes: Sequence[str]) -> tuple[str, ...]:
    return (
        str(entry["round"]),
        _number(entry["accuracy"]),
        _number(entry["loss"]),
        f"{entry['false_negatives']:,}",
        f"{entry['false_positives']:,}",
        *(f"{entry['taken'][name]:,}" for name in classes),
        f"{entry['labels']:,}",
        f"{entry['seconds']:.1f}",
    )


def _picked(picked: Sequence[Picked], classes: Sequence[str]) -> list[Block]:
    if not picked:
        return []
    blocks: list[Block] = [Heading("Texts picked")]
    for number in sorted({one.round for one in picked}):
        rows = tuple(
            (_cut(one.text), one.label or "no label", *(f"{share:.3f}" for share in one.probabilities), f"{one.row:,}")
            for one in picked
            if one.round == number
        )
        head = ("text", "label", *(f"p({name})" for name in classes), "row")
        caption = f"round {number}: {len(rows)} texts shown, in the order chosen, as the model took them before"
        blocks.append(Table(caption, head, rows, texts=2, wide=True))
    return blocks


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST].rstrip()} … ({len(text) - LONGEST:,} more characters)"


def _data(results: Results) -> list[Block]:
    """What it was run on and with."""
    data = results["data"]
    split = ", ".join(f"{rows:,} {part}" for part, rows in data.get("split", {}).items())
    facts = {
        "corpus": f"{data['source']}: {data['rows']:,} rows, fingerprint {data['fingerprint'][:12]}",
        "classes": ", ".join(data["classes"]),
        "split at the start": split,
        "device": results.get("device"),
        "seconds": f"{results['wall_seconds']:,.0f}",
        "versions": ", ".join(f"{name} {version}" for name, version in results["versions"].items()),
    }
    known = tuple(f"{name}: {value}" for name, value in facts.items() if value)
    return [Heading("Data and software"), Bullets((*known, *data.get("notes", ())))]


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}".removeprefix("0")
