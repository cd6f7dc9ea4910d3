"""`Supervisor`: keeps a trainer running beside the page, and says so when it does not.

A trainer that dies is started again after a pause that doubles with each death, and one whose heartbeat stops is killed
first. Labeling never waits for any of it. Nothing here imports torch: this runs in the process of the page.
"""

import math
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from lit_al.annotate.heartbeat import DAMAGED, KEY
from lit_al.exceptions import StoreError
from lit_al.record import Record
from lit_al.utils.links import own, private

LOG_FILE: Final = "trainer.log"
LONGEST_LOG: Final = 1_000_000  # bytes; a longer one is put aside at the next start
LONGEST_PAUSE: Final = 60.0  # seconds
PATIENCE: Final = 120.0  # seconds without a heartbeat
WORK: Final = 0.5  # seconds of computing that count as one
GRACE: Final = 0.3  # seconds between asking to end and killing; a trainer may be killed at any moment
WELL: Final = ("ready", "waiting")  # states that a trainer reaches when nothing is wrong


class Supervisor:
    """A trainer process, and another when it dies.

    `check` is to be called about once a second, by one thread at a time.

    Args:
        run_folder: of the run; its record is there.
        patience: seconds without a heartbeat after which a trainer is killed.
        command: that starts a trainer; the folder follows.
    """

    def __init__(
        self,
        run_folder: Path,
        *,
        patience: float = PATIENCE,
        command: Sequence[str] = (sys.executable, "-m", "lit_al.annotate.trainer"),
    ) -> None:
        self.folder, self.patience, self.command = run_folder, patience, tuple(command)
        self.deaths = 0  # since it was last well
        self._record: Record | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._next_start = 0.0  # by `time.monotonic`, as the next
        self._heartbeat, self._seen = 0.0, 0.0  # the last one, and when it or other work was seen
        self._computed = 0.0  # seconds, when it was seen
        self._log_before = 0  # bytes of the log that are of earlier trainers

    @property
    def pid(self) -> int | None:
        """Of the trainer; None while there is none."""
        return self._process.pid if self._process else None

    @property
    def pause(self) -> float:
        """Seconds between the last death and the next start: 1, 2, 4, … 60."""
        return min(LONGEST_PAUSE, 2.0 ** (self.deaths - 1)) if self.deaths else 0.0

    def start(self) -> None:
        """Start the trainer; `check` does the rest."""
        self._record = self._record or Record.open(self.folder, check=False)
        self._launch()

    def check(self) -> None:
        """Look after the trainer: bury a dead one, kill one that hangs, start the next when its time has come."""
        if self._record is None:
            return
        with suppress(StoreError):  # the record cannot be read or written now; the next look may tell
            if self._process is None:
                if time.monotonic() >= self._next_start:
                    self._launch()
            elif self._process.poll() == DAMAGED:
                self._give_up()
            elif (code := self._process.poll()) is not None:
                self._bury(f"the trainer died ({_in_words(code)})")
            else:
                self._listen(self._record.state(KEY) or {})

    def stop(self) -> None:
        """End the trainer: politely, then not."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(GRACE)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None
        if self._record is not None:
            self._record.close()
            self._record = None

    def _launch(self) -> None:
        log = self.folder / LOG_FILE
        if log.is_file() and log.stat().st_size > LONGEST_LOG:
            log.replace(log.with_suffix(".old.log"))
        self._log_before = log.stat().st_size if log.is_file() else 0
        self._heartbeat, self._computed, self._seen = 0.0, 0.0, time.monotonic()
        try:
            with open(own(log), "ab", opener=private) as output:
                self._process = subprocess.Popen(
                    [*self.command, str(self.folder), "--parent", str(os.getpid())],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    env={**os.environ, **threads()},
                )
        except OSError as error:
            self._fail(f"the trainer cannot be started: {error.strerror or error}")

    def _listen(self, state: dict[str, Any]) -> None:
        """Is it alive? Only whether the heartbeat changes counts, so that no clock has a say in it.

        A library that computes for minutes without letting other threads run is alive without a heartbeat.
        """
        assert self._process is not None  # `check` has seen it
        now, computed = time.monotonic(), computing_of(self._process.pid)
        if state.get("pid") == self.pid and state.get("heartbeat") != self._heartbeat:
            self._heartbeat, self._seen = state["heartbeat"], now
            self.deaths = 0 if state["state"] in WELL else self.deaths
        elif computed - self._computed > WORK:
            self._computed, self._seen = computed, now
        elif now - self._seen > self.patience:
            self._process.kill()
            self._process.wait()
            self._bury(f"the trainer gave no sign of life for {self.patience:.0f} seconds and was killed")

    def _bury(self, why: str) -> None:
        """Say what happened, with the last words of the log."""
        self._process = None
        words = last_line(self.folder / LOG_FILE, self._log_before)
        self._fail(f"{why}: {words}" if words else why)

    def _give_up(self) -> None:
        """A damaged record stays damaged: start no other trainer, and say why."""
        self._process, self._next_start = None, math.inf
        self._note(last_line(self.folder / LOG_FILE, self._log_before) or "the record is damaged")

    def _fail(self, detail: str) -> None:
        self.deaths += 1
        self._next_start = time.monotonic() + self.pause
        self._note(f"{detail}; starting it again in {self.pause:.0f} s")

    def _note(self, detail: str) -> None:
        assert self._record is not None  # `check` and `start` have opened it
        known = self._record.state(KEY) or {}
        facts = {"state": "failed", "detail": detail, "heartbeat": time.time(), "labels": known.get("labels", 0)}
        self._record.set_state(KEY, facts)


def computing_of(pid: int) -> float:
    """Seconds that a process has computed; 0 where the system does not tell."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rsplit(")", 1)[1].split()
    except (OSError, IndexError):
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def threads() -> dict[str, str]:
    """Settings of the environment that leave a core to the page, where there are several."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
    return {name: os.environ.get(name, str(max(1, cores - 1))) for name in names}


def last_line(path: Path, start: int = 0) -> str:
    """The last line of a log that is not empty, after so many bytes; "" where there is none."""
    try:
        with path.open("rb") as file:
            file.seek(max(start, path.stat().st_size - 4_096))
            lines = file.read().decode(errors="replace").splitlines()
    except OSError:
        return ""
    return next((line.strip()[:300] for line in reversed(lines) if line.strip()), "")


def _in_words(code: int) -> str:
    return f"killed by signal {-code}" if code < 0 else f"exit code {code}"
