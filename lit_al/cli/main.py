"""The way in and the ways out: what a user got wrong ends in one sentence and exit code 2, Ctrl-C in 130."""

import sys
from collections.abc import Sequence

from lit_al.cli.command_line import Command, overview, parse
from lit_al.cli.commands import COMMANDS
from lit_al.exceptions import LitALError
from lit_al.utils.memory import is_shortage
from lit_al.utils.nearest import did_you_mean
from lit_al.utils.terminal_text import first_line, say


def main(arguments: Sequence[str] | None = None) -> int:
    """`lit-al COMMAND …`; returns the exit code."""
    try:
        return _answer(list(sys.argv[1:] if arguments is None else arguments))
    except BrokenPipeError:  # the reader of our output has seen enough, as `head` has
        sys.stderr.close()
        return 141


def _answer(words: Sequence[str]) -> int:
    """Say what there is, or run what is asked for."""
    if not words or words in (["--help"], ["-h"]):
        print(overview(COMMANDS), file=sys.stdout if words else sys.stderr, flush=True)
        return 0 if words else 2
    if words[0] not in COMMANDS:
        guess = did_you_mean(words[0], COMMANDS)
        say(f"error: there is no command {words[0]!r}; {guess}lit-al --help lists them", sys.stderr)
        return 2
    return _run(COMMANDS[words[0]], words)


def _run(command: Command, words: Sequence[str]) -> int:
    """Run it; what a user can mend ends in one sentence, with what helps where there was too little memory."""
    try:
        code = command.run(parse(COMMANDS, words))
    except LitALError as error:
        say(f"error: {error}", sys.stderr)
        return 2
    except BrokenPipeError:
        raise
    except (MemoryError, RuntimeError, OSError) as error:
        if not is_shortage(error):
            raise
        say(f"error: there is too little memory ({first_line(error) or 'MemoryError'}); {command.lower}", sys.stderr)
        return 2
    except KeyboardInterrupt as stop:
        say("interrupted", sys.stderr)
        return int(getattr(stop, "code", 130))
    return code or 0
