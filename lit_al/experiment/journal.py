"""The record of a run with rounds, as the run keeps it: what was asked, what was answered, where to go on.

The order of a round: the state after the round before, the questions, the answers, the split. Whatever moment a run is
killed at, what comes before it is on the disk, and what comes after it can be made again from that.
"""

import base64
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, astuple, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from lit_al.data import Corpus
from lit_al.data.beside import Beside
from lit_al.exceptions import ConfigError, DamagedError, DataError
from lit_al.experiment.config import NAMED, TrainConfig, config_of
from lit_al.experiment.run_rows import keep_rows
from lit_al.experiment.snapshots import Snapshots
from lit_al.loop.query import Query
from lit_al.loop.state import CHANCE
from lit_al.oracles import FILE, Batch, Oracle, RecordedOracle, event_id
from lit_al.record import RECORD_FILE, Action, Item, NewEvent, Record, damaged, sha256_of
from lit_al.record.own_columns import OwnColumns
from lit_al.strategies import Choice, Collapse, Strategy
from lit_al.typing import UNLABELED, Ints, Rows
from lit_al.utils.failpoints import crash_point

ASKING, RUN = "asking", "run"  # keys of the record's small facts
FULL = "full"  # what chose where every text is labeled


class Journal:
    """Made by `begin` or `open`; closed at the end of a `with`.

    Args:
        folder: of the run.
        record: in it.
        tell: called with a sentence that the user should read.

    Attributes:
        states: saved between rounds.
    """

    def __init__(self, folder: Path, record: Record, tell: Callable[[str], object]) -> None:
        self.folder, self.record = folder, record
        self.states = Snapshots(folder, record, tell)
        self._oracle: RecordedOracle | None = None  # the one that was made last

    @classmethod
    def begin(cls, folder: Path, config: TrainConfig, corpus: Corpus, tell: Callable[[str], object]) -> Self:
        """A new record in a new folder; `take` fills it."""
        settings = {
            "config": asdict(_at_home(config)),
            "fingerprint": corpus.fingerprint,
            "seed": config.seed,
            "copies": config.copies,
            "chance": CHANCE,
        }
        keep_rows(folder, corpus)
        return cls(folder, Record.create(folder / RECORD_FILE, corpus.classes, settings=settings), tell)

    @classmethod
    def open(cls, folder: Path, tell: Callable[[str], object]) -> Self:
        """The record of a run that is there.

        Raises:
            StoreError: it is missing, damaged or of a newer version.
        """
        record = Record.open(folder)
        for sentence in record.mended:
            tell(sentence)
        return cls(folder, record, tell)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.record.close()

    @property
    def config(self) -> TrainConfig:
        """The settings that the run began with.

        Raises:
            DamagedError: they are none of `lit-al train`.
        """
        found = self.record.settings.get("config")
        try:
            config = config_of(found, self.record.path)
            config.resolved()
        except (ConfigError, DataError, TypeError, ValueError, AttributeError) as error:
            why = f"its settings are none of a run that lit-al train began: {' '.join(str(error).split())[:100]}"
            raise DamagedError(damaged(self.record.path, why)) from error
        return config

    @property
    def finished(self) -> bool:
        """Is there nothing left to do?"""
        return bool((self.record.state(RUN) or {}).get("finished"))

    def finish(self) -> None:
        """Note that everything is written."""
        self.record.set_state(RUN, {"finished": True})

    def take(self, corpus: Corpus, rows: Rows) -> None:
        """Take in the texts that may be asked for, unless that has been done.

        Args:
            corpus: people get its texts from the record, a simulated oracle does not.
            rows: (n,) int64 that may be asked for.

        Raises:
            DataError: the texts, labels or classes have changed, or their order; or the run was begun by a version
                whose seeds drew other texts.
        """
        if self.record.settings.get("chance") != CHANCE:
            raise DataError(
                f"{self.folder} was begun by an earlier version of lit_al, whose seeds drew other texts, and this "
                "version cannot go on with its rounds; begin a new run (lit-al export brings the answers out)"
            )
        if corpus.fingerprint != self.record.settings.get("fingerprint"):
            raise DataError(
                f"{self.config.data} is not the data that {self.folder} began with (its texts or labels have changed); "
                "put the old data back, or begin a new run"
            )
        if self.record.count_items() == 0:  # all were added, or none
            by_people = self.config.oracle == "file"
            texts = ((row, corpus.texts[row]) for row in np.sort(rows).tolist())
            if by_people:
                beside = Beside.of(corpus, [corpus.id_column] if corpus.id_column else ())
                self.record.add_items(Item(row, sha256_of(text), text, beside.row(row)) for row, text in texts)
                OwnColumns(corpus.id_column, corpus.label_column).keep(self.record)
            else:
                self.record.add_items(Item(row, sha256_of(text)) for row, text in texts)
            self.record.backup()  # what `lit-al recover` begins with; the answers are in the mirror too

    # --- A round ------------------------------------------------------------------------------------------------------

    def oracle(self, inner: Oracle) -> RecordedOracle:
        """The same oracle, its answers recorded before they are given."""
        self._oracle = RecordedOracle(inner, self.record)
        return self._oracle

    def take_labels(self, rows: Rows, labels: Ints) -> None:
        """Put labels on record that a file brought along, (n,) each."""
        self.record.append_all(
            [
                NewEvent(event_id(self.record, row, FILE), row, FILE, Action.LABEL, self.record.classes[label],
                         source=FILE)
                for row, label in zip(rows.tolist(), labels.tolist(), strict=True)
                if label != UNLABELED
            ]
        )  # fmt: skip

    def asked(self, number: int, strategy: Strategy) -> tuple[Query, Mapping[str, Any]] | None:
        """What a round has chosen already; the strategy remembers what it did after that choice.

        Returns:
            The query and the facts noted beside it; None where there is none, or only one that can be made again.
        """
        found = self.record.state(ASKING)
        if found is None or found.get("number") != number or number not in {one.number for one in self.record.rounds()}:
            return None
        try:
            strategy.restore({name: _array(kept) for name, kept in found["memory"].items()})
            choice = Choice(
                _array(found["rows"]),
                _array(found["scores"]),
                tuple(found["reasons"]),
                _array(found["controls"]),
                tuple(found["shares"]),
                found["short"],
            )
            arrays = {name: _array(kept) for name, kept in found["arrays"].items()}
            collapse = Collapse(*found["collapse"]) if found["collapse"] else None
            query = Query(number, found["strategy"], choice, arrays.get("probabilities"), collapse)
            return query, found["facts"]
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            why = f"what round {number} asked for cannot be read"
            raise DamagedError(damaged(self.record.path, why)) from error

    def ask(self, query: Query, strategy: Strategy, **facts: Any) -> None:
        """Put a round's questions on record, before anybody is asked; asked again, they must be the same.

        Args:
            query: not answered yet.
            strategy: whose memory is kept beside it.
            facts: likewise, plain ones.

        Raises:
            StoreError: the round has asked for other texts.
        """
        crash_point("before_questions")
        choice, probabilities, collapse = query.choice, query.probabilities, query.collapse
        if query.number not in {found.number for found in self.record.rounds()}:
            arrays = {} if probabilities is None else {"probabilities": _kept(probabilities)}
            memory = {name: _kept(array) for name, array in strategy.state().items()}
            listed: dict[str, Any] = {name: _kept(getattr(choice, name)) for name in ("rows", "scores", "controls")}
            listed |= {"reasons": list(choice.reasons), "shares": [float(share) for share in choice.shares]}
            listed |= {"number": query.number, "strategy": query.strategy, "short": choice.short, "arrays": arrays}
            listed |= {"collapse": astuple(collapse) if collapse else None, "memory": memory, "facts": facts}
            self.record.set_state(ASKING, listed)
        self.record.begin_round(query.number, query.rows.tolist(), query.strategy)
        self._announce(Batch(query.number, query.strategy, choice.controls, probabilities))

    def ask_all(self, rows: Rows) -> None:
        """Put every label that there is on record as asked for, in a round of its own."""
        self.record.begin_round(0, rows.tolist(), FULL)
        self._announce(Batch(0, FULL, np.zeros(len(rows), np.bool_)))

    def _announce(self, batch: Batch) -> None:
        assert self._oracle is not None  # nobody else is asked
        self._oracle.batch = batch
        crash_point("after_questions")

    def keep(self, number: int, state: Mapping[str, Any]) -> None:
        """Save the state after a round and vouch for the best model; one that asked for nothing is a round, too."""
        if number not in {found.number for found in self.record.rounds()}:
            self.record.begin_round(number, [], "")
        best = self.folder / "checkpoints" / "best.ckpt"
        digest = hashlib.sha256(best.read_bytes()).hexdigest() if best.exists() else None
        self.states.keep(number, state, checkpoint={"path": str(best.relative_to(self.folder)), "sha256": digest})


def _at_home(config: TrainConfig) -> TrainConfig:
    """The same settings with paths that are found from anywhere."""
    paths: dict[str, Any] = {
        name: str(Path(value).expanduser().resolve())
        for name in ("data", "oracle_noise")
        if (value := getattr(config, name)) and value not in NAMED and Path(value).expanduser().exists()
    }
    return replace(config, **paths)


def _kept(array: npt.NDArray[Any]) -> dict[str, Any]:
    """An array as JSON, to the bit."""
    whole = np.ascontiguousarray(array)
    return {"dtype": str(whole.dtype), "shape": whole.shape, "data": base64.b64encode(whole.tobytes()).decode()}


def _array(kept: Mapping[str, Any]) -> npt.NDArray[Any]:
    """The array that was kept.

    >>> _array(_kept(np.array([[0.1, np.inf]], np.float32)))
    array([[0.1, inf]], dtype=float32)
    """
    flat = np.frombuffer(base64.b64decode(kept["data"]), dtype=kept["dtype"])
    return flat.reshape(kept["shape"]).copy()
