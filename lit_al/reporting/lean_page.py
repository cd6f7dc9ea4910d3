"""What the report of a lean run says of its rounds: labels, accuracy twice over, batches, seconds, stopping rules."""

from collections.abc import Mapping, Sequence
from typing import Any

from lit_al.reporting.document import Block, Bullets, Heading, Paragraph, Table


def lean_blocks(results: Mapping[str, Any]) -> list[Block]:
    """Rounds, warnings, what each rule would have done, the bill."""
    rounds, classes, bill = results["rounds"], results["data"]["classes"], results["bill"]
    warnings = [f"Round {entry['round']}: {entry['warning']}." for entry in rounds if entry["warning"]]
    return [
        _rounds(rounds, classes),
        Paragraph(
            "The estimate is of the newest model's accuracy over the whole corpus, by all random controls so far, each "
            "judged before it was learned, and by how far the newest model has moved from its judge; in brackets the "
            "95 % interval. With fewer than 10 controls nothing is said.",
            "small",
        ),
        *_validation(results),
        *(Paragraph(warning, "warning") for warning in warnings),
        Heading("Stopping rules in shadow"),
        Bullets(tuple(f"{shadow['sentence']}." for shadow in results["shadow"])),
        Paragraph(
            f"Bill: {bill['asked']:,} questions, {bill['skipped']:,} skipped, {_answers(bill)}, "
            f"cost {bill['cost']:,.2f}."
        ),
    ]


def _answers(bill: Mapping[str, Any]) -> str:
    """How many, and how many of them were wrong where somebody knows."""
    if bill["wrong"] is None:
        return f"{bill['labels']:,} answers"
    return f"{bill['wrong']:,} of {bill['labels']:,} answers wrong"


def _validation(results: Mapping[str, Any]) -> list[Block]:
    """The estimates by labels that are paid for, and which estimate the rules followed."""
    rounds = [entry for entry in results["rounds"] if entry.get("validation")]
    source = {"controls": "by random controls", "validation": "by validation"}.get(str(results.get("follows")))
    words = f"The stopping rules target and plateau follow the estimate {source}."
    followed = [Paragraph(words, "small")] if source else []
    if not rounds:
        return [*followed]
    head = ("round", "validation rows", "validation accuracy", "drawn at random", "accuracy by those", "validate s")
    rows = tuple(
        (
            str(entry["round"]),
            f"{entry['validation']['rows']:,}",
            _estimate(entry["validation"]),
            f"{entry['validation']['drawn']['rows'] if entry['validation']['drawn'] else 0:,}",
            _estimate(entry["validation"]["drawn"]),
            f"{entry['validate_seconds']:.1f}",
        )
        for entry in rounds
    )
    caption = (
        f"validation ({results['recipe']['validation']}): labels that the model which is judged had not learned from"
    )
    return [Table(caption, head, rows), *followed]


def _rounds(rounds: Sequence[Mapping[str, Any]], classes: Sequence[str]) -> Table:
    mixes = [f"{name} taken (predicted)" for name in classes]
    head = ("round", "questions", "labels", "test accuracy", "estimate", *mixes, "controls", "skipped")
    rows = tuple(_round(entry, classes) for entry in rounds)
    judged = ", judged on the test set for this report alone" if all(entry["test"] for entry in rounds) else ""
    caption = f"rounds: the batch, and the model after it{judged}"
    return Table(caption, (*head, "fit s", "score s", "select s"), rows)


def _round(entry: Mapping[str, Any], classes: Sequence[str]) -> tuple[str, ...]:
    predicted = entry["predicted"]
    return (
        str(entry["round"]),
        f"{entry['labels_spent']:,}",
        f"{entry['labels']:,}",
        _share(entry["test"]["accuracy"]) if entry["test"] else "–",
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
