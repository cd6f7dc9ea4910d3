"""Places at which a test may end the process, as a power cut would: nothing is flushed, nothing is said.

`LIT_AL_CRASH_AT=after_commit` kills the process at the first such place, `after_commit:3` at the third.
"""

import os
import signal

VARIABLE = "LIT_AL_CRASH_AT"
_passed: dict[str, int] = {}


def crash_point(name: str) -> None:
    """Die here by SIGKILL if the environment asks for it; else nothing."""
    wanted = os.environ.get(VARIABLE)
    if not wanted:
        return
    place, _, count = wanted.partition(":")
    if place != name:
        return
    _passed[name] = _passed.get(name, 0) + 1
    if _passed[name] == int(count or 1):
        os.kill(os.getpid(), signal.SIGKILL)
