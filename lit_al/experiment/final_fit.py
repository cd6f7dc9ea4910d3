"""`lit-al fit`: the best model from all labels that there are, judged by cross-validation, in a folder of its own."""

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from rich import get_console
from rich.console import Console

from lit_al.calibration import Calibration
from lit_al.data import count_contradictions, first_copies
from lit_al.exceptions import ConfigError
from lit_al.experiment.delivery import Delivery
from lit_al.experiment.experiment_data import described_copies
from lit_al.experiment.fit_options import FitOptions, LabelsOptions
from lit_al.experiment.labels_there import LabelsThere, labels_there
from lit_al.experiment.learning import Learner
from lit_al.experiment.run_session import described_test
from lit_al.experiment.versions_of_runs import facts_of_results, register_fit
from lit_al.loop.estimation import Estimate
from lit_al.loop.state import Validated
from lit_al.metrics import Evaluation, counts
from lit_al.models.checkpoint import save_model
from lit_al.reporting.fit_console import FitWords
from lit_al.reporting.run_page import write_run_report
from lit_al.typing import UNLABELED
from lit_al.utils.folders import (
    SCHEMA,
    make_run_folder,
    peak_memory_mb,
    versions,
    whole_or_gone,
    write_results,
    write_text,
)
from lit_al.utils.signals import interruptible, shielded
from lit_al.utils.terminal_text import markup, plain

LEAST_DRAWN = 10  # labels that chance asked for, under which nothing is said by them


def final_fit(asked: FitOptions, console: Console | None = None) -> dict[str, Any]:
    """Learn from all labels, judge, and leave a folder with the model and what is known of it.

    Returns:
        The contents of `results.json`.

    Raises:
        LitALError: labels or settings that cannot work; there is no folder then.
        KeyboardInterrupt: Ctrl-C, SIGTERM or SIGUSR1; there is no folder then either.
    """
    began, console = time.perf_counter(), console or get_console()
    words = FitWords(console)
    with interruptible():
        with console.status("reading texts and labels …"):
            there = labels_there(asked)
        words.begin(there.corpus, there.notes)
        with whole_or_gone(make_run_folder(*asked.place)) as folder:
            with console.status("reading the texts …") as status:
                learner = learner_of(asked, there, lambda doing: status.update(f"{plain(doing)} …"))
                if asked.deliver != "student":
                    _check_deliverable(learner)
                learned = learner.learn(there.rows, there.labels, number=1, folds=asked.folds)
                delivery = Delivery.of(asked.deliver, learned)
                model = learned.model if delivery.is_student else learner.deliverable(learned, there.corpus)
            words.learned(learner.reading, learner.notes)
            results = _results(asked, there, learner, delivery, folder)
            results["device"], results["wall_seconds"] = str(model.device), round(time.perf_counter() - began, 2)
            with shielded():
                save_model(model, folder / "checkpoints" / "best.ckpt")
                write_text(folder / "config.yaml", yaml.safe_dump(_plain(asked), sort_keys=False))
                write_results(folder, results)
                page = write_run_report(folder)
            version = _register(asked, there, results)
        words.end(results, _judged(delivery.validated) if delivery.validated else None, delivery.words, page, version)
        if asked.register is not None:
            from lit_al.reporting.mlflow_registry import register

            metrics = {f"cross_validation/{name}": value for name, value in (results["cross_validation"] or {}).items()}
            place = Path(results["checkpoint"])
            console.print(markup(register(asked.register, place, folder, _plain(asked), metrics)), soft_wrap=True)
    return results


def _register(asked: FitOptions, there: LabelsThere, results: dict[str, Any]) -> str:
    """The fit as a version of the run that its labels are of, where they are of one."""
    known = (there.seen, there.audits_closed) if there.seen else (None, None)
    facts = facts_of_results(results, there.fingerprint, *known)
    return register_fit(Path(asked.data).expanduser(), Path(results["checkpoint"]), facts)


def learner_of(asked: LabelsOptions, there: LabelsThere, report: Callable[[str], object]) -> Learner:
    """What learns from labels as the run that they are of did, but for what was asked for."""
    given = {name: value for name, value in asked.asked.items() if name != "accelerator" or value != "auto"}
    vectors = {"encoder": None, "embeddings": None} if {"encoder", "embeddings"} & given.keys() else {}
    corpus = there.corpus
    return Learner(corpus.texts, corpus.classes, {**there.settings, **vectors, **given}, report, corpus.grouped.numbers)


def _check_deliverable(learner: Learner) -> None:
    """Refuse to deliver a teacher where there is none, or one that looks at vectors which new texts have not.

    Raises:
        ConfigError: it is so.
    """
    if not learner.recipe.teacher:
        raise ConfigError(
            f"--deliver teacher and best need a teacher, which --recipe {learner.config.recipe} has not; take --recipe "
            "lean, or leave out --deliver"
        )
    if learner.config.encoder or learner.config.embeddings:
        raise ConfigError(
            "--deliver teacher and best have no use with the vectors of --encoder or --embeddings, which new texts "
            "would need as well; leave out --deliver"
        )


def _judged(found: Validated) -> Evaluation:
    return Evaluation.of(found.probabilities, found.answers)


def _results(
    asked: FitOptions, there: LabelsThere, learner: Learner, delivery: Delivery, folder: Path
) -> dict[str, Any]:
    """The contents of `results.json`; docs/results-schema.md describes them."""
    corpus, rows, validated = there.corpus, there.rows, delivery.validated
    return {
        "schema": SCHEMA,
        "status": "finished",
        "mode": "fit",
        "protocol": "lean",
        "data": {
            "source": corpus.source,
            "demo": corpus.is_demo,
            "fingerprint": corpus.fingerprint,
            "rows": len(corpus),
            "classes": list(corpus.classes),
            "unlabeled": int((corpus.labels == UNLABELED).sum()),
            "extra_copies": int((~first_copies(corpus.texts)).sum()),
            "contradicting_duplicates": count_contradictions(corpus.texts, corpus.labels),
            "copies": described_copies(corpus),
            "notes": [*corpus.notes, *there.notes, *learner.notes],
        },
        "labels": dict(zip(corpus.classes, counts(corpus.labels[rows], len(corpus.classes)), strict=True)),
        "strategy": there.strategy or None,
        "flaws": list(_flaws(there, validated)),
        "seeds": {"seed": learner.config.seed},
        "recipe": asdict(learner.recipe),
        "folds": min(asked.folds, len(rows)),
        "deliver": delivery.described(),
        "cross_validation": validated and _cross_validation(there, validated),
        "versions": versions(),
        "rounds": [],
        "epochs": [],
        "checkpoint": str(folder / "checkpoints" / "best.ckpt"),
        "peak_memory_mb": peak_memory_mb(),
    }


def _cross_validation(there: LabelsThere, validated: Validated) -> dict[str, Any]:
    """All labels as models said that had not learned them, and of these by themselves those that chance asked for."""
    judged, classes = _judged(validated), there.corpus.classes
    low, high = judged.confusion.macro_f1_interval
    drawn = validated.right[np.isin(validated.rows, there.drawn)]
    calibration = Calibration.of(validated.probabilities, validated.answers)
    estimate = Estimate.of(drawn.tolist()) if len(drawn) >= LEAST_DRAWN else None
    return {
        **(described_test(judged, classes) or {}),
        "rows": judged.confusion.rows,
        "macro_f1_low": low,
        "macro_f1_high": high,
        "drawn": estimate.described() if estimate else None,
        "calibration": calibration.described() if calibration else None,
    }


def _flaws(there: LabelsThere, validated: Validated | None) -> Iterator[str]:
    """What the figures do not say, a clause each."""
    if validated is None:
        yield "judges nothing: with --folds 5 models are judged by labels that they have not learned from"
    elif there.strategy == "":
        yield "judges by the texts that have labels, so that its figures are of texts like these"
    elif there.strategy != "random":
        yield (
            f"judges by labels of texts that {there.strategy} chose, not chance, so that its figures are of texts like "
            "these, which mostly are harder than the others"
        )


def _plain(asked: FitOptions) -> dict[str, Any]:
    return {name: str(value) if isinstance(value, Path) else value for name, value in asdict(asked).items()}
