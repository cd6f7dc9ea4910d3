"""The process that learns while people label: `python -m lit_al.annotate.trainer RUN`.

It reads labels from the record and writes models and rankings into it; nobody waits for it. It may be killed at any
moment: a checkpoint is whole before it is on record, a ranking is one transaction, and a model depends on labels, seed
and its number alone. What was cut off is done again, to the same result, at the next start.

    prepare   read the texts, rank them for the cold start, learn what they teach without labels
    turn      enough answers are new or changed? then train, write the checkpoint, note it, publish its ranking

A turn that fails says why, leaves the last model and its ranking in force, and is tried again with the next answer.
"""

import argparse
import logging
import os
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, Final, TypeGuard

from lit_al.annotate.heartbeat import DAMAGED, Pulse
from lit_al.annotate.seed_words import STRATEGY as SEED_WORDS
from lit_al.annotate.seed_words import read_seed_words, seeded
from lit_al.exceptions import DamagedError, LitALError
from lit_al.models.model_registry import ModelRegistry, labels_fingerprint
from lit_al.record import ModelVersion, NewGeneration, OwnerLock, Ranked, Record
from lit_al.record.audit import REASON, HeldBack
from lit_al.record.audit import STRATEGY as AUDIT
from lit_al.utils.failpoints import crash_point
from lit_al.utils.silence import quiet
from lit_al.utils.terminal_text import plain, say

if TYPE_CHECKING:
    from lit_al.annotate.model_store import Weights
    from lit_al.annotate.training_set import Snapshot
    from lit_al.experiment.learning import Learned, Learner

LOCK_FILE: Final = "trainer.lock"
POLL: Final = 0.5  # seconds between looks at the record
NICENESS: Final = 10  # the page comes first

log = logging.getLogger("lit_al.trainer")


class Trainer:
    """Trains whenever the record asks for it.

    Args:
        folder: of the run.
        record: of the run.
        pulse: tells others what it is at.
    """

    def __init__(self, folder: Path, record: Record, pulse: Pulse) -> None:
        self.folder, self.record, self.pulse = folder, record, pulse
        self.every = int(record.settings.get("retrain_every") or 10)
        self.ended = False  # asked to end
        self._learner: Learner | None = None
        self._items: list[int] = []  # id of the text at each place
        self._began = 0.0  # by `time.perf_counter`, of the newest model
        self._tried = -1  # newest event at the last turn
        self._note = ""  # what is wrong with the newest checkpoint
        self._anew = False  # train although there are few new answers

    def run(self) -> None:
        """Look, learn, look again, until asked to end."""
        while not self.ended:
            self.pulse.come_round()
            seq = self.record.last_seq()
            if seq != self._tried or len(self._items) != self.record.count_items():
                self.turn(seq)
            time.sleep(POLL)

    def turn(self, seq: int) -> None:
        """Do what the answers up to an event ask for; failures are told and survived.

        Raises:
            DamagedError: the record is not what was written; another try would find the same.
        """
        self._tried = seq
        try:
            if self._is_other():
                self.prepare()
            self.learn()
        except DamagedError:
            raise
        except Exception as error:  # whatever it is: labeling goes on without a newer model
            traceback.print_exc()
            self.pulse.say("failed", f"{in_a_sentence(error)}; trying again with the next answer")

    def _is_other(self) -> bool:
        """Are there texts or classes that the learner does not know?"""
        learner = self._learner
        if learner is None:
            return True
        is_other = len(self._items) != self.record.count_items() or learner.classes != self.record.classes
        self._anew = self._anew or is_other  # so that the new ones are ranked, and told apart, soon
        return is_other

    # --- Preparing ----------------------------------------------------------------------------------------------------

    def prepare(self) -> None:
        """Read the texts, rank them for the cold start, look after what an earlier process left."""
        self.pulse.say("preparing", "loading libraries")
        import numpy as np

        from lit_al.experiment.learning import Learner

        quiet()
        texts = {item.id: item.text or "" for item in self.record.items()}
        self._items = list(texts)
        groups = np.array(self.record.groups().numbers(self._items), np.int64)
        learner = Learner(list(texts.values()), self.record.classes, self.record.settings, self._report, groups)
        ranking = self.record.newest_generation()
        if ranking is None or ranking.strategy == AUDIT:
            audited = self._places(HeldBack.of(self.folder).items)
            first = [Ranked(place, 0.0, REASON) for place in audited]
            cold, chosen_by = self._cold_start(learner, list(texts.values()), [*self._answered(), *audited])
            self._publish(None, [*first, *cold], chosen_by, 0)
        del texts  # the learner drops them too, once it has read them
        self._look_after_checkpoints()
        learner.prepare()
        self._learner = learner

    def _cold_start(self, learner: "Learner", texts: Sequence[str], passed: Sequence[int]) -> tuple[list[Ranked], str]:
        """The first ranking, without places that are passed over, and what chose it."""
        ranked, spelling = learner.cold_start(passed=passed), str(self.record.settings.get("seed_words") or "")
        if not spelling:
            return ranked, learner.chosen_by()
        import numpy as np

        words = read_seed_words(spelling, learner.classes)
        return seeded(ranked, texts, words, learner.askable(np.array(passed, np.int64)).tolist()), SEED_WORDS

    def _answered(self) -> list[int]:
        return self._places(answer.item for answer in self.record.answers())

    def _places(self, items: Iterable[int]) -> list[int]:
        place = {item: index for index, item in enumerate(self._items)}
        return [place[item] for item in items]

    def _look_after_checkpoints(self) -> None:
        """A checkpoint that is not as written is never used; its model is trained anew, under a new number."""
        models, weights = self.record.models(), self._weights()
        if not models:
            return
        self._note = weights.fault(models[-1])
        if self._note:
            self._anew = True
            log.warning("%s; the model is trained anew from the labels", plain(self._note))
        weights.offer(weights.sound(models))

    def _report(self, doing: str) -> None:
        self.pulse.say("preparing", doing)

    @property
    def learner(self) -> "Learner":
        """There from `prepare` on."""
        assert self._learner is not None  # as `turn` sees to
        return self._learner

    def _weights(self) -> "Weights":
        from lit_al.annotate.model_store import Weights

        return Weights(self.folder)

    def _registry(self) -> ModelRegistry:
        return ModelRegistry(self.folder)

    # --- Learning -----------------------------------------------------------------------------------------------------

    def learn(self) -> None:
        """Train if the answers ask for it."""
        from lit_al.annotate.training_set import Snapshot, changed_since

        newest = self.record.newest_model()
        changed = changed_since(self.record, newest.labels_seen if newest else 0)
        due = changed >= self.every or self._anew or _unranked(newest, self.record)
        if newest is not None and not due:  # all answers are read only when there is something to do
            self.pulse.say("ready", f"{_learned(newest)}; the next one after {_more(self.every - changed)}")
            return
        snapshot = Snapshot.of(self.record, self._items)
        if snapshot.classes != self.learner.classes:  # changed this moment
            self._tried = -1
            return
        if snapshot.soft_labels < 2:
            self.pulse.say("waiting", self._missing(snapshot), len(snapshot.rows))
        elif due:
            self.train(snapshot, newest)
        else:
            detail = f"the first model comes after {_more(self.every - changed)}"
            self.pulse.say("waiting", detail, len(snapshot.rows))

    def train(self, snapshot: "Snapshot", newest: ModelVersion | None) -> None:
        """Make a model, note it, publish its ranking.

        A model that was noted but not ranked, because the process was killed in between, is made again from the same
        labels if there are no others yet, for its ranking.
        """
        again = not self._note and _unranked(newest, self.record) and newest.labels_seen == snapshot.seq
        last = newest.version if newest else 0
        number = last if again else self._registry().next_number(last)
        learned, ranked = self._make(snapshot, number)
        if not again:
            number = self._keep(learned, snapshot, newest)
        crash_point("before_ranking")
        self._publish(number, [*self._first(snapshot), *ranked], self.learner.chosen_by(), snapshot.seq)
        weights = self._weights()
        sound = weights.sound(self.record.models())
        weights.offer(sound)
        weights.tidy(sound)
        self._note, self._anew = "", False
        self.pulse.say("ready", _learned(self.record.models()[-1]), len(snapshot.rows))

    def _make(self, snapshot: "Snapshot", number: int) -> tuple["Learned", list[Ranked]]:
        """A model and its ranking; nothing is written."""
        labels, note = len(snapshot.rows), f"{self._note}; " if self._note else ""
        self._began = time.perf_counter()
        self.pulse.say("training", f"{note}model {number} learns from {labels:,} labels", labels)
        learned = self.learner.learn(snapshot.rows, snapshot.labels, number, snapshot.passed)
        self._end_if_asked()
        self.pulse.say("training", f"model {number} ranks the texts", labels)
        ranked = self.learner.rank()
        self._end_if_asked()
        return learned, ranked

    def _keep(self, learned: "Learned", snapshot: "Snapshot", before: ModelVersion | None) -> int:
        """Write the checkpoint and put it on record; returns its number, for a fit may have taken the other meanwhile.

        Where the program was killed after the checkpoint, it stands there under the number that it has again.
        """
        facts = {**self._judged(learned, snapshot), "notes": self._notes(), "classes": list(self.learner.classes)}
        facts |= {"fingerprint": self._fingerprint(snapshot), "audits_closed": snapshot.audits_closed}
        self.record.check_place()  # else a folder that was deleted would come back with a checkpoint alone
        registry = self._registry()
        with registry.alone():
            last = before.version if before else 0
            number = learned.number if learned.number not in registry.kept() else registry.next_number(last)
            crash_point("before_checkpoint")
            path, digest = self._weights().write(learned.model, number)
            crash_point("after_checkpoint")
            facts["seconds"] = round(time.perf_counter() - self._began, 2)
            self.record.add_model(ModelVersion(number, path, digest, snapshot.seq, len(snapshot.rows), facts))
        return number

    def _fingerprint(self, snapshot: "Snapshot") -> str:
        """Of the labels that a model has learned."""
        digests, classes = self.record.digests(), snapshot.classes
        pairs = zip(snapshot.rows.tolist(), snapshot.labels.tolist(), strict=True)
        return labels_fingerprint((digests[self._items[row]], classes[label]) for row, label in pairs)

    def _judged(self, learned: "Learned", snapshot: "Snapshot") -> dict[str, Any]:
        """How good this model is, and advice: by it and those before it, whose figures are kept on record."""
        from lit_al.annotate.stop_advice import advise, noted, remembered
        from lit_al.loop.estimation import needed
        from lit_al.loop.stopping_monitor import StoppingMonitor

        learned.run.judgments = list(snapshot.judgments)
        monitor = StoppingMonitor(None, self.learner.rows, self.learner.config.seed)
        earlier = [model.version for model in self.record.models() if model.version < learned.number]
        notes = {version: self.record.state(f"model {version}") for version in earlier}
        monitor.history = remembered(notes, len(self._items), self.record.class_history)
        monitor.record(self.learner.score(monitor.rows), learned.run, learned.number)
        figures = noted(monitor.history[-1], len(self._items), self.learner.classes)
        self.record.set_state(f"model {learned.number}", figures)
        return {
            "estimate": monitor.estimate.described() if monitor.estimate else None,
            "estimate_needs": needed(snapshot.judgments),
            "advice": vars(advise(monitor.history)),
        }

    def _notes(self) -> list[str]:
        """What is to be known of the newest model."""
        collapse, notes = self.learner.collapse, [*self.learner.notes]
        if self._note:
            notes.append(f"{self._note}; trained anew from the labels")
        if collapse:
            name = self.learner.classes[collapse.label]
            notes.append(f"the model calls {collapse.share:.1%} of the texts {name!r}")
        return notes

    def _missing(self, snapshot: "Snapshot") -> str:
        if not len(snapshot.rows):
            return "needs labels of two classes; there are none yet"
        [only] = {snapshot.classes[label] for label in snapshot.labels.tolist()}
        return f"needs labels of two classes; all {len(snapshot.rows):,} so far are {only!r}"

    # --- Publishing ---------------------------------------------------------------------------------------------------

    def _first(self, snapshot: "Snapshot") -> list[Ranked]:
        """Texts of an audit and those that lack annotators come first; whoever has answered them is given others."""
        why = "labeled by fewer annotators than wanted"
        audited = [Ranked(row, 0.0, REASON) for row in snapshot.audited]
        return [*audited, *(Ranked(row, 0.0, why) for row in snapshot.waiting[: self.learner.ahead])]

    def _publish(self, version: int | None, ranked: Sequence[Ranked], strategy: str, seq: int) -> None:
        """Put a ranking of places in force as one of texts."""
        named = [replace(one, item=self._items[one.item]) for one in ranked]
        self.record.publish(NewGeneration(version, strategy, seq), named)

    def end(self, signal_number: int, frame: FrameType | None) -> None:
        """End after the stage that is being worked on; for `signal.signal`."""
        self.ended = True

    def _end_if_asked(self) -> None:
        if self.ended:
            raise SystemExit(128 + signal.SIGTERM)


def _unranked(newest: ModelVersion | None, record: Record) -> TypeGuard[ModelVersion]:
    """Was the process killed between a model and its ranking?"""
    ranking = record.newest_generation()
    return newest is not None and (ranking is None or ranking.model_version != newest.version)


def _more(answers: int) -> str:
    return f"{answers:,} more answers" if answers > 1 else "one more answer"


def _learned(model: ModelVersion) -> str:
    return f"model {model.version} has learned from {model.labels:,} labels"


def in_a_sentence(error: BaseException) -> str:
    """What went wrong, on one line."""
    words = " ".join(str(error).split())[:300] or "no reason given"
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return f"training ran out of memory ({words}); close other programs, or lower --max-length"
    if isinstance(error, LitALError):
        return words
    return f"training failed: {type(error).__name__}: {words}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Train beside a run until told to end, or until whoever started it is gone.

    Returns:
        Exit code.
    """
    parser = argparse.ArgumentParser(prog="lit_al.annotate.trainer", description="Learn while people label.")
    parser.add_argument("run", type=Path, metavar="RUN", help="Folder of the run.")
    parser.add_argument("--parent", type=int, metavar="PID", help="End when the parent is not this process any more.")
    options = parser.parse_args(arguments)
    logging.basicConfig(format="%(message)s")
    warnings.filterwarnings("ignore", module="lightning")  # the log is for what went wrong
    os.nice(NICENESS)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for whoever started it

    def orphaned() -> bool:
        return options.parent is not None and os.getppid() != options.parent

    try:
        with OwnerLock(options.run, "a trainer", LOCK_FILE), Record.open(options.run, check=False) as record:
            pulse = Pulse(record, orphaned)
            trainer = Trainer(options.run, record, pulse)
            signal.signal(signal.SIGTERM, trainer.end)
            pulse.say("preparing", "starting")
            pulse.start()
            try:
                trainer.run()
            finally:
                pulse.stop()
    except LitALError as error:
        say(error, sys.stderr)
        return DAMAGED if isinstance(error, DamagedError) else 1
    except KeyboardInterrupt:  # a fit's word for SIGTERM, since Ctrl-C is not heard here
        return 128 + signal.SIGTERM
    return 0


if __name__ == "__main__":
    sys.exit(main())
