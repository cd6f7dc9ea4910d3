"""argparse that says what was wrong in one sentence, as everything else here, and asks what was meant."""

import argparse
import re
import sys
from collections.abc import Iterable, Sequence
from typing import NoReturn

from lit_al.exceptions import ConfigError
from lit_al.utils.nearest import did_you_mean

_CHOICE = re.compile(r"argument (.+?): invalid choice: '(.*?)' \(choose from (.*)\)")


class Parser(argparse.ArgumentParser):
    """A command line whose errors are `ConfigError`s."""

    def parse_args(self, arguments: Sequence[str] | None = None) -> argparse.Namespace:  # type: ignore[override]
        """The options of a command line.

        Raises:
            ConfigError: an unknown option, or a value that does not fit.
        """
        words = list(sys.argv[1:] if arguments is None else arguments)
        strange = [word for word in words if word.startswith("--") and not self._knows(word)]
        if strange and "--" not in words:  # before anything else is missed, which the misspelled option may have been
            raise ConfigError(unknown(strange, self._option_string_actions))
        found, others = self.parse_known_args(words)
        if others:
            raise ConfigError(unknown(others, self._option_string_actions))
        return found

    def _knows(self, word: str) -> bool:
        """Is it an option, its beginning, or `--option=value`?"""
        return any(option.startswith(word.partition("=")[0]) for option in self._option_string_actions)

    def error(self, message: str) -> NoReturn:
        """Say it in one sentence."""
        choice = _CHOICE.fullmatch(message)
        if choice is not None:
            option, word, choices = choice.groups()
            names = [name.strip("'") for name in choices.split(", ")]
            message = f"{option} {word} does not fit; {did_you_mean(word, names)}it takes {', '.join(names)}"
        raise ConfigError(f"{message.removeprefix('argument ')}; --help lists the options")


def unknown(words: Sequence[str], options: Iterable[str]) -> str:
    """What to say of words on a command line that mean nothing there, the first option among them first."""
    word = next((word for word in words if word.startswith("-")), words[0])
    name = word.partition("=")[0]
    if not word.startswith("-"):
        return f"{word!r} is one word too many; put several words in quotes; --help lists the options"
    return f"there is no option {name}; {did_you_mean(name, options)}--help lists the options"
