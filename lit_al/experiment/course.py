"""What a lean run has come to so far, and what `results.json` says of it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from lit_al.experiment.config import TrainConfig
from lit_al.experiment.experiment_data import ExperimentData
from lit_al.experiment.protocol import RunProtocol
from lit_al.loop.rounds import Round, described_bill
from lit_al.loop.stopping_monitor import StoppingMonitor
from lit_al.utils.folders import SCHEMA, peak_memory_mb, versions
from lit_al.utils.packing import unpacked


@dataclass
class RunHistory:
    """Grows with each round.

    Attributes:
        rounds: so far.
        stop_reason: why it ended; "" before that.
        device: that the last model is on.
        held: labels of the last round that are never learned from.
        checkpoint: of the last model.
        seconds: that earlier sittings took, up to the last state they saved.
    """

    rounds: list[Round] = field(default_factory=list)
    stop_reason: str = ""
    device: str = "cpu"
    held: int = 0
    checkpoint: Path | None = None
    seconds: float = 0.0

    def state(self, seconds: float) -> dict[str, Any]:
        """What the next sitting needs of it, after so many seconds."""
        names = ("rounds", "stop_reason", "device", "held")
        return {**{name: getattr(self, name) for name in names}, "seconds": seconds}

    @classmethod
    def restored(cls, state: Mapping[str, Any]) -> Self:
        """Go on from a `state`."""
        return cls(**{**state, "rounds": [unpacked(Round, one) for one in state["rounds"]]})

    def in_shadow(self, monitor: StoppingMonitor | None) -> list[dict[str, Any]]:
        """Only now do the rules meet the test set: what each would have cost."""
        if monitor is None or not monitor.history or len(monitor.history) != len(self.rounds):
            return []
        tests = [done.test.accuracy for done in self.rounds if done.test]
        return monitor.in_shadow(tests if len(tests) == len(self.rounds) else None)


def results_of(
    course: RunHistory,
    config: TrainConfig,
    material: ExperimentData,
    plan: RunProtocol,
    shadow: Sequence[Mapping[str, Any]],
    status: str,
    seconds: float,
) -> dict[str, Any]:
    """The contents of `results.json`; docs/results-schema.md describes them."""
    classes, rounds = material.corpus.classes, course.rounds
    last = rounds[-1] if rounds else None
    fitting = sum(done.seconds.fit for done in rounds)
    samples = sum(plan.recipe.samples(done.labels, len(material.split.pool)) for done in rounds)
    return {
        "schema": SCHEMA,
        "status": status,
        "mode": config.mode,
        "protocol": config.protocol,
        "strategy": config.strategy,
        **dict.fromkeys(("steer_on", "pool_classes", "ratio_direction")),
        "flaws": list(plan.flaws),
        "stop": str(plan.rule) if plan.rule else None,
        "stop_reason": course.stop_reason,
        "schedule": list(plan.schedule),
        "recipe": asdict(plan.recipe),
        "data": material.described(),
        "seeds": {"seed": config.seed, "split_seed": config.split_seed},
        "versions": versions(),
        "device": course.device,
        "epochs": [],
        "rounds": [done.described(classes) for done in rounds],
        "estimate": last.estimate.described() if last and last.estimate else None,
        "estimate_needs": last.needed if last else None,
        "validation": last.validation.described() if last and last.validation else None,
        "follows": plan.follows,
        "shadow": list(shadow),
        "oracle": config.oracle,
        "bill": described_bill(plan.oracle.bill),
        "test": _test(last, classes) if status == "finished" else None,
        "test_use": plan.test_use,
        "labels_spent": _labels_spent(plan, course.held),
        "checkpoint": str(course.checkpoint) if course.checkpoint else None,
        "wall_seconds": round(seconds, 2),
        "train_samples_per_second": round(samples / fitting, 1) if fitting else 0.0,
        "peak_memory_mb": peak_memory_mb(),
    }


def _test(last: Round | None, classes: Sequence[str]) -> dict[str, Any] | None:
    if last is None or last.test is None:
        return None
    confusion = last.test.confusion
    error = confusion.standard_error
    return {**last.test.described(classes), "standard_error": error, "confusion": confusion.matrix.tolist()}


def _labels_spent(plan: RunProtocol, held: int) -> dict[str, int]:
    """Every question counts, answered or not, that of a round which Ctrl-C cut off too."""
    bill = plan.oracle.bill
    return {
        "train": bill.labels - held,
        "skipped": bill.skipped,
        "validation": held,
        "steering": 0,
        "total": bill.asked,
    }
