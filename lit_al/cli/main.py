"""The way in and the ways out: what a user got wrong ends in one sentence and exit code 2, Ctrl-C in 130."""

import sys
from collections.abc import Callable, Sequence

from lit_al.cli.command_line import overview, parse
from lit_al.cli.commands import COMMANDS
from lit_al.exceptions import LitALError
from lit_al.utils.memory import is_shortage
from lit_al.utils.nearest import did_you_mean
from lit_al.utils.terminal_text import first_line, say


def main(arguments: Sequence[str] | None = None) -> int:
    """`lit-al COMMAND …`; returns the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words and words[0] in COMMANDS:
        command = COMMANDS[words[0]]
        return _guarded(lambda: command.run(parse(COMMANDS, words)), command.lower)
    if words in (["--help"], ["-h"]) or not words:
        print(overview(COMMANDS), file=sys.stdout if words else sys.stderr)
        return 0 if words else 2
    guess = did_you_mean(words[0], COMMANDS)
    say(f"error: there is no command {words[0]!r}; {guess}lit-al --help lists them", sys.stderr)
    return 2


def _guarded(command: Callable[[], None], lower: str) -> int:
    """Run a command; what a user can mend ends in one sentence, `lower` where there was too little memory."""
    try:
        command()
    except LitALError as error:
        say(f"error: {error}", sys.stderr)
        return 2
    except BrokenPipeError:  # the reader of our output has seen enough, as `head` has
        sys.stderr.close()
        return 141
    except (MemoryError, RuntimeError, OSError) as error:
        if not is_shortage(error):
            raise
        say(f"error: there is too little memory ({first_line(error) or 'MemoryError'}); {lower}", sys.stderr)
        return 2
    except KeyboardInterrupt as stop:
        say("interrupted", sys.stderr)
        return int(getattr(stop, "code", 130))
    return 0
