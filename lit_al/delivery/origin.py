"""Where a model is from: what its run has written of data, labels, protocol and figures."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lit_al.models.model_folder import is_model_folder, read_config
from lit_al.models.model_registry import FOLDER as VERSIONS
from lit_al.models.model_registry import ModelRegistry
from lit_al.record import RECORD_FILE, Record
from lit_al.utils.folders import read_results


@dataclass(frozen=True)
class Origin:
    """What is known of how a model came to be; what is not is empty.

    Attributes:
        source: of the texts.
        fingerprint: of the corpus, sha256.
        texts: in it.
        demo: the texts are made up.
        labels: how many were paid for, 0 where that is not known.
        spent: by what they were for.
        protocol: by which it learned.
        strategy: what chose the texts to label.
        judged: figures, as `test` of results.json has them, and `by`, on what they rest.
        flaws: what is wrong with the protocol or the figures, a clause each.
        calibration: as `calibration.Calibration.described`.
        versions: of the packages it was trained with.
    """

    source: str = ""
    fingerprint: str = ""
    texts: int = 0
    demo: bool = False
    labels: int = 0
    spent: Mapping[str, int] = field(default_factory=dict)
    protocol: str = ""
    strategy: str = ""
    judged: Mapping[str, Any] = field(default_factory=dict)
    flaws: tuple[str, ...] = ()
    calibration: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, model: Path, weights: Path) -> "Origin":
        """Of what the user named, and the checkpoint that it came to; nothing is known of a checkpoint by itself.

        Raises:
            LitALError: the files of its run are there and cannot be read.
        """
        run = model if model.is_dir() else weights.parent.parent
        if weights.parent.name == VERSIONS and weights.stem.isdecimal():
            facts = ModelRegistry(weights.parent.parent).kept().get(int(weights.stem), {})
            if facts.get("results"):
                return cls._of_results(facts["results"])
        if is_model_folder(model):
            config = read_config(model)
            return cls(**{**config.get("origin", {}), "calibration": config.get("calibration") or {}})
        if (run / "results.json").is_file() and weights.parent.name == "checkpoints":
            return cls._of_results(read_results(run))
        if (run / RECORD_FILE).is_file():
            with Record.open(run) as record:
                return cls._of_people(record, run.resolve().name, weights)
        return cls()

    @classmethod
    def _of_results(cls, results: Mapping[str, Any]) -> "Origin":
        data, fit = results["data"], results["mode"] == "fit"
        spent = dict(results.get("labels_spent") or {})
        judged = results["cross_validation"] if fit else results["test"]
        by = "cross-validation over all labels" if fit else "a test set that nothing else looked at"
        if results["protocol"] == "keras":
            by = "the test set that chose its texts, as in the Keras example"
        calibration = (judged or {}).get("calibration") or {}
        return cls(
            source=data["source"],
            fingerprint=data["fingerprint"],
            texts=data["rows"],
            demo=bool(data.get("demo")),
            labels=sum(results["labels"].values()) if fit else spent.get("total", 0),
            spent={name: count for name, count in spent.items() if name != "total" and count},
            protocol=f"{results['mode']}, {results['protocol']}",
            strategy=results.get("strategy") or "",
            judged={**judged, "by": by} if judged else {},
            flaws=tuple(results["flaws"]),
            calibration=calibration,
            versions=results["versions"],
        )

    @classmethod
    def _of_people(cls, record: Record, name: str, weights: Path) -> "Origin":
        models = record.models()
        named = [model for model in models if str(model.version) == weights.stem.removeprefix("model-")]
        model = [*models, *named][-1] if models else None  # best.ckpt is the newest
        strategies = {answer.strategy for answer in record.events() if answer.strategy} - {"random"}
        return cls(
            source=f"labeling project {name}",
            texts=record.count_texts(),
            labels=model.labels if model else 0,
            protocol="labeled by people, learned as they labeled",
            strategy=" and ".join(sorted(strategies)),
        )

    def described(self) -> dict[str, Any]:
        """As `config.json` has it, without the calibration, which stands beside it."""
        return {name: value for name, value in vars(self).items() if name != "calibration" and value}
