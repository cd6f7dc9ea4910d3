"""Why each text of a round, or of a ranking that people label by, was chosen: `lit-al explain RUN --round 3`.

A run's folder holds row ids and reasons, but no texts. They are loaded again from where the run had them, and shown
only if they are the same corpus to the last letter.
"""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from lit_al.data import Corpus, load_corpus, shorten
from lit_al.exceptions import ConfigError, DataError
from lit_al.experiment.config import TrainConfig, config_of
from lit_al.experiment.run_rows import put_back
from lit_al.record import RECORD_FILE, Record
from lit_al.reporting.queries import FILE, Pick, read_picks
from lit_al.utils.folders import read_results
from lit_al.utils.terminal_text import plain
from lit_al.utils.yaml_settings import read_settings

CHARACTERS = 100  # of a text, so that it stays on its line


def explain(run: Path, number: int | None = None, top: int = 20) -> Iterator[str]:
    """The lines to print.

    Args:
        run: folder of a run; of one that compared `full` and `active`, the active one counts.
        number: of the round, from 1, or of the ranking of a run that people label; None takes the last.
        top: texts to show, in the order chosen.

    Raises:
        DataError: no folder of a run with picks, or no such round.
    """
    if (run / RECORD_FILE).is_file() and not (run / "results.json").is_file():
        with Record.open(run) as record:
            yield from map(plain, _of_labeling(record, number, top))
        return
    folder = run / "active" if (run / "active" / FILE).is_file() else run
    results, picks = read_results(folder), read_picks(folder)
    rounds = sorted({pick.round for pick in picks})
    if not rounds:
        raise DataError(f"{run} has chosen no text yet; let the run finish a round")
    wanted = rounds[-1] if number is None else number
    if wanted not in rounds:
        raise DataError(f"{run} has rounds {rounds[0]} to {rounds[-1]}, not {wanted}; give one of them")
    chosen = [pick for pick in picks if pick.round == wanted]
    corpus, note = _corpus(folder, results)
    yield from map(plain, [*_summary(results, chosen), *([note] if note else []), ""])
    for place, pick in enumerate(chosen[:top], 1):
        yield from map(plain, _pick(place, pick, corpus))
    if len(chosen) > top:
        yield f"{len(chosen) - top:,} more; --top {len(chosen)} shows all"


def _of_labeling(record: Record, number: int | None, top: int) -> Iterator[str]:
    """The texts of a ranking that people label by."""
    rankings = {one.id: one for one in record.generations()}
    if not rankings:
        raise DataError(f"{record.path.parent} has ranked no text yet; label with lit-al annotate, which does")
    wanted = max(rankings) if number is None else number
    if wanted not in rankings:
        raise DataError(
            f"{record.path.parent} has rankings {min(rankings)} to {max(rankings)}, not {wanted}; give one of them"
        )
    found, ranked, labels = rankings[wanted], record.ranked(wanted), record.labels()
    controls = sum(one.control for one in ranked)
    by = "before there was a model" if found.model_version is None else f"by model {found.model_version}"
    drawn = f", {controls:,} of them random controls" if controls else ""
    yield f"ranking {wanted}: {len(ranked):,} texts chosen by {found.strategy} {by}{drawn}"
    yield ""
    texts = {item.id: item.text or "" for item in record.items(one.item for one in ranked[:top])}
    for place, one in enumerate(ranked[:top], 1):
        called = f"predicted {one.predicted} {one.probabilities[one.predicted]:.3f}, " if one.predicted else ""
        score = "" if one.control or not math.isfinite(one.score) else f", score {one.score:.4g}"
        label = f"is {labels[one.item]}" if one.item in labels else "no label"
        yield f"{place:3d}. text {one.item}: {called}{label}{score}"
        yield f"     {one.reason}"
        yield f"     {shorten(texts[one.item], CHARACTERS)}"
    if len(ranked) > top:
        yield f"{len(ranked) - top:,} more; --top {len(ranked)} shows all"


def _summary(results: dict[str, Any], chosen: Sequence[Pick]) -> list[str]:
    """Who chose how many, their class mix, what was wrong."""
    number, classes = chosen[0].round, results["data"]["classes"]
    entry: dict[str, Any] = next((entry for entry in results["rounds"] if entry["round"] == number), {})
    controls = sum(pick.control for pick in chosen)
    drawn = f", {controls:,} of them random controls" if controls else ""
    lines = [f"round {number}: {len(chosen):,} texts chosen by {entry.get('strategy') or 'an unknown strategy'}{drawn}"]
    for what in ("predicted", "label"):
        counts = Counter(getattr(pick, what) for pick in chosen)
        skipped = f", skipped {counts['']:,}" if counts[""] else ""
        lines.append(f"by {what}: " + ", ".join(f"{name} {counts[name]:,}" for name in classes) + skipped)
    return [*lines, *([f"warning: {entry['warning']}"] if entry.get("warning") else [])]


def _pick(place: int, pick: Pick, corpus: Corpus | None) -> list[str]:
    """One text: what the model thought, what it is, why it was chosen, how it begins."""
    probability = pick.probabilities[pick.predicted]
    score = "" if pick.control or pick.score is None else f", score {pick.score:.4g}"
    answer = f"is {pick.label}" if pick.label else "was skipped"
    own = f" ({pick.id})" if pick.id else ""
    head = f"{place:3d}. row {pick.row}{own}: predicted {pick.predicted} {probability:.3f}, {answer}{score}"
    lines = [head, f"     {pick.reason}"]
    return [*lines, f"     {shorten(corpus.texts[pick.row], CHARACTERS)}"] if corpus is not None else lines


def _corpus(folder: Path, results: dict[str, Any]) -> tuple[Corpus | None, str]:
    """The texts of the run, or None and a sentence that says why they are not shown."""
    source = results["data"]["source"]
    try:
        there = load_corpus(**_settings(folder).corpus)
    except (ConfigError, DataError) as error:
        return None, f"the texts are not shown: {error}"
    corpus = put_back(there, folder, results["data"]["fingerprint"])
    if corpus.fingerprint != results["data"]["fingerprint"]:
        return None, f"the texts are not shown: {corpus.source} is not the corpus of this run, {source}, or has changed"
    return corpus, ""


def _settings(folder: Path) -> TrainConfig:
    """Those of the run; the two halves of a comparison have them one folder up.

    Raises:
        LitALError: there are none, or broken ones.
    """
    path = next((path for path in (folder / "config.yaml", folder.parent / "config.yaml") if path.is_file()), None)
    if path is None:
        raise DataError(f"{folder / 'config.yaml'}, which says where they come from, is missing")
    return config_of(read_settings(path), path)
