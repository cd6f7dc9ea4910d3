"""What the report of a lean run says of its rounds: labels, accuracy twice over, batches, seconds, stopping rules."""

from collections.abc import Mapping, Sequence
from typing import Any

from lit_al.page.document import Block, Bullets, Heading, Paragraph, Table


def lean_blocks(results: Mapping[str, Any]) -> list[Block]:
    """Rounds, warnings, what each rule would have done, the bill."""
    rounds, classes, bill = results["rounds"], results["data"]["classes"], results["bill"]
    warnings = [f"Round {entry['round']}: {entry['warning']}." for entry in rounds if entry["warning"]]
    return [
        _rounds(rounds, classes),
        Paragraph(
            "The estimate is by all random controls so far, each judged by the model that was there when it was drawn, "
            "before anything was learned from it; in brackets Wilson's 95 % interval.",
            "small",
        ),
        *(Paragraph(warning, "warning") for warning in warnings),
        Heading("Stopping rules in shadow"),
        Bullets(tuple(f"{shadow['sentence']}." for shadow in results["shadow"])),
        Paragraph(
            f"Bill: {bill['asked']:,} questions, {bill['skipped']:,} skipped, {bill['wrong']:,} of {bill['labels']:,} "
            f"answers wrong, cost {bill['cost']:,.2f}."
        ),
    ]


def _rounds(rounds: Sequence[Mapping[str, Any]], classes: Sequence[str]) -> Table:
    mixes = [f"{name} taken (predicted)" for name in classes]
    head = ("round", "questions", "labels", "test accuracy", "estimate", *mixes, "controls", "skipped")
    rows = tuple(_round(entry, classes) for entry in rounds)
    caption = "rounds: the batch, and the model after it, judged on the test set for this report alone"
    return Table(caption, (*head, "fit s", "score s", "select s"), rows)


def _round(entry: Mapping[str, Any], classes: Sequence[str]) -> tuple[str, ...]:
    predicted = entry["predicted"]
    return (
        str(entry["round"]),
        f"{entry['labels_spent']:,}",
        f"{entry['labels']:,}",
        _share(entry["test"]["accuracy"]),
        _estimate(entry["estimate"]),
        *(f"{entry['taken'][name]:,}" + (f" ({predicted[name]:,})" if predicted else "") for name in classes),
        f"{entry['controls']:,}",
        f"{entry['skipped']:,}",
        *(f"{entry[f'{part}_seconds']:.1f}" for part in ("fit", "score", "select")),
    )


def _estimate(found: Mapping[str, Any] | None) -> str:
    if found is None:
        return "–"
    return f"{_share(found['accuracy'])} ({_share(found['low'])} to {_share(found['high'])})"


def _share(value: float) -> str:
    return f"{value:.4f}".removeprefix("0")
