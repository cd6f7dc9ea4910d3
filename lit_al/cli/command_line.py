"""From dataclasses of options to a command line, to YAML files of settings, and to one sentence for what does not fit.

An option is a field (`lit_al.utils.options`), and its type says what it takes. Of all commands, only the one that is
wanted has its dataclass imported and its options built, so that `--help` answers at once.
"""

import re
from argparse import SUPPRESS, ArgumentError, HelpFormatter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, fields
from functools import reduce
from importlib import import_module
from inspect import getdoc
from itertools import chain
from operator import or_
from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from jsonargparse import ActionConfigFile, ArgumentParser  # type: ignore[attr-defined]  # both are public

from lit_al.exceptions import ConfigError
from lit_al.utils.nearest import did_you_mean
from lit_al.utils.options import ABSENT, Options, flag, words_of
from lit_al.utils.terminal_text import say
from lit_al.utils.yaml_settings import read_settings

_PLAIN = {int: "a whole number", float: "a number", str: "text", bool: "true or false", Path: "a path"}
_LISTS = {int: "whole numbers with commas, as in 100,200,400", float: "numbers with commas, as in 0.86,0.9"}
_SEE = "--help lists the options"


@dataclass(frozen=True)
class Command:
    """A row of the table of commands.

    Attributes:
        run: what it does, given its options; the docstring is its help. What it returns is the exit code, None is 0.
        options: their dataclass, as `module:Class` below `lit_al`.
        lower: what to do where there was too little memory.
        config: it takes its options from a YAML file too.
    """

    run: Callable[[Any], int | None]
    options: str
    lower: str = "close other programs, or take a smaller run or file"
    config: bool = False


class _Option:
    """A field of a dataclass, as the command line shows and reads it."""

    def __init__(self, item: Field[Any], kind: Any) -> None:
        about = item.metadata
        self.name, self.kind, self.default, self.required = item.name, kind, item.default, item.default is MISSING
        self.group, self.positional, self.prints = about["group"], about["positional"], about["prints"]
        words = [get_args(part) for part in (kind, *get_args(kind)) if get_origin(part) is Literal]
        self.choices = list(chain(*words))
        self.listed: Any = get_args(kind)[0] if get_origin(kind) is tuple else None  # of what it is a list
        last = item.name.split("_")[-1].upper()
        self.metavar = about["metavar"] or ("{" + ",".join(self.choices) + "}" if self.choices else last)
        off = "no_" if kind is bool and self.default is True else ""
        self.spelling = self.metavar if self.positional else flag(off + self.name)
        self.help = f"{about['help']}{self._default(about['decided'])}".replace("%", "%%")

    def _default(self, decided: Mapping[str, Any]) -> str:
        """What is taken where nothing is given, behind the help text."""
        default = ",".join(map(str, self.default)) if isinstance(self.default, tuple) else self.default
        if not decided and (default in (None, "", ABSENT, MISSING) or self.kind is bool):
            return ""
        known = {key.replace("otherwise", "default"): value for key, value in decided.items() if value is not None}
        return f" ({'; '.join(f'{key}: {value}' for key, value in (known or {'default': default}).items())})"

    @property
    def usage(self) -> str:
        """How it stands in the first line of `--help`; "" where it need not."""
        if self.positional:
            shown = f"{self.metavar} ..." if self.listed else self.metavar
            return shown if self.required else f"[{shown}]"
        return f"{self.spelling} {self.metavar}" if self.required else ""

    def add_to(self, group: Any, *, null: bool) -> None:
        """Tell argparse of it; what is missing in the end is said by `parse`.

        Args:
            group: of options.
            null: this word is no text but none, as in YAML.
        """
        absent = self.positional or self.required
        how: dict[str, Any] = {"default": SUPPRESS if absent else self.default, "help": self.help}
        if self.kind is bool:
            action = "store_false" if self.default is True else "store_true"
            group.add_argument(self.spelling, dest=self.name, action=action, **how)
            return
        how |= {"metavar": self.metavar, "type": self.kind if null else _without_none(self.kind)}
        if self.positional:
            how |= {"nargs": "*", "type": self.listed} if self.listed else {"nargs": None if self.required else "?"}
            group.add_argument(self.name, **how).required = False
        else:
            group.add_argument(self.spelling, **{**how, "type": self._list} if self.listed else how)

    def _list(self, value: Any) -> tuple[Any, ...]:
        """Words with commas, or the list of a YAML file, as it takes them."""
        try:
            return tuple(self.listed(str(word)) for word in (words_of(value) if isinstance(value, str) else value))
        except (TypeError, ValueError):
            raise self.misfit(str(value)) from None

    def misfit(self, value: str) -> ConfigError:
        """What to say of a value that it does not take."""
        plain = (_PLAIN[part] for part in (self.kind, *get_args(self.kind)) if part in _PLAIN)
        takes = ", ".join(self.choices) or _LISTS.get(self.listed) or " or ".join(plain)
        guess = did_you_mean(value, self.choices)
        return ConfigError(f"{self.spelling} {value} does not fit; {guess}it takes {takes}; {_SEE}")


def parse(commands: Mapping[str, Command], words: Sequence[str]) -> Any:
    """What a command line asks for, as `Options.of` of its command makes it.

    Args:
        commands: by name.
        words: of the command line, the name of a command first.

    Raises:
        ConfigError: an unknown option, a value that does not fit, or one that is missing.
        SystemExit: after `--help` and whatever else only prints.
    """
    kind: type[Options] = _imported(commands[words[0]].options)
    options = _options_of(kind)
    whole = any(word.startswith("--print-c") for word in words)  # a printed file holds what was not given, too
    try:
        found = command_line(commands, words[0]).parse_args(list(words), defaults=whole)[words[0]]
    except ArgumentError as error:
        raise _refusal(str(error), options) from error
    given = {name: tuple(value) if isinstance(value, list) else value for name, value in vars(found).items()}
    given.pop("config", None)
    for only in [option for option in options if option.prints and option.name in given]:
        for line in _imported(only.prints)():
            say(line)
        raise SystemExit
    missing = [option.spelling for option in options if option.required and option.name not in given]
    if missing:
        raise ConfigError(f"the following arguments are required: {', '.join(missing)}; {_SEE}")
    return kind.of(given)


def command_line(commands: Mapping[str, Command], wanted: str) -> ArgumentParser:
    """The parser of all commands, with the options of the one that is wanted."""
    parser = ArgumentParser(
        prog="lit-al", exit_on_error=False, allow_abbrev=True, add_help=False, formatter_class=HelpFormatter
    )
    rows = parser.add_subcommands(dest="command")
    for name, command in commands.items():
        rows.add_subcommand(name, _filled(name, command) if name == wanted else ArgumentParser())
    return parser


def _filled(name: str, command: Command) -> ArgumentParser:
    """The parser of one command."""
    options = _options_of(_imported(command.options))
    usage = ["lit-al", name, *(option.usage for option in options if option.usage), "[options]"]
    parser = ArgumentParser(usage=" ".join(usage), description=getdoc(command.run), print_config="--print-config")
    groups = {title: parser.add_argument_group(title) for title in dict.fromkeys(option.group for option in options)}
    for option in options:
        option.add_to(groups[option.group], null=command.config)
    if command.config:
        file = parser.add_argument("--config", action=_SettingsFile, help="YAML file of options, as of --print-config.")
        file.known = [option.name for option in options]
    return parser


def overview(commands: Mapping[str, Command]) -> str:
    """What `lit-al --help` says."""
    width = max(map(len, commands)) + 2
    rows = "\n".join(f"  {name:{width}}{(getdoc(row.run) or '').splitlines()[0]}" for name, row in commands.items())
    return f"usage: lit-al COMMAND [options]\n\n{rows}\n\nlit-al COMMAND --help lists a command's options."


class _SettingsFile(ActionConfigFile):
    """`--config`, its file looked at before the parser expands anything in it."""

    known: Sequence[str] = ()

    def __call__(self, parser: Any, cfg: Any, values: Any, option_string: str | None = None) -> None:
        """Take the settings of the file."""
        found = read_settings(Path(values), "--config")
        if not isinstance(found, dict) or "config" in found:
            raise ConfigError(
                f"--config {values} holds no settings, or names another file of them; --print-config prints some"
            )
        strangers = [str(name) for name in found if name not in self.known]
        if strangers:
            guess = did_you_mean(strangers[0], self.known)
            raise ConfigError(
                f"--config holds {strangers[0]}, which is no setting; {guess}--print-config prints those there are"
            )
        super().__call__(parser, cfg, values, option_string)  # type: ignore[no-untyped-call]


def _options_of(kind: type[Options]) -> list[_Option]:
    """In the order of the fields, but those without a name first."""
    types = get_type_hints(kind)
    options = [_Option(item, types[item.name]) for item in fields(kind)]
    return sorted(options, key=lambda option: not option.positional)


def _without_none(kind: Any) -> Any:
    """A type without the None that stands in it.

    >>> _without_none(int | str | None), _without_none(str)
    (int | str, <class 'str'>)
    """
    parts = [part for part in get_args(kind) if part is not NoneType]
    return reduce(or_, parts) if NoneType in get_args(kind) else kind


def _imported(where: str) -> Any:
    """What stands at `module:name` below `lit_al`."""
    module, name = where.split(":")
    return getattr(import_module(f"lit_al.{module}"), name)


def _refusal(message: str, options: Sequence[_Option]) -> ConfigError:
    """The parser's words in one sentence, with the option named as it is typed and what it takes."""
    words = " ".join(message.split())
    if words.startswith("unrecognized arguments: "):
        return _unknown(words.removeprefix("unrecognized arguments: ").split(), options)
    misfit = re.match(r'Parser key "(\w+)": .*(?:Got|Given) value: (.*)', words)
    if misfit is not None:
        return next(option for option in options if option.name == misfit[1]).misfit(misfit[2])
    words = re.sub(r'^Parser key "(\w+)":', r"--\1:", words)
    return ConfigError(f"{words.removeprefix('argument ')}; {_SEE}")


def _unknown(words: Sequence[str], options: Sequence[_Option]) -> ConfigError:
    """What to say of words on a command line that mean nothing there, the first option among them first."""
    word = next((word for word in words if word.startswith("-")), words[0])
    if not word.startswith("-"):
        return ConfigError(f"{word!r} is one word too many; put several words in quotes; {_SEE}")
    name = word.partition("=")[0]
    known = [option.spelling for option in options if not option.positional]
    return ConfigError(f"there is no option {name}; {did_you_mean(name, known)}{_SEE}")
