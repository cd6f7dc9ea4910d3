"""What reaches a terminal: names, texts, paths and answers of models can show signs there, and do nothing else.

Whatever a user's data hold goes through `plain` before it is printed, and through `markup` where rich reads marks such
as `[red]`. `say` is the one `print` of the package.
"""

import sys
import unicodedata
from typing import Final, TextIO

from rich.markup import escape

# Unicode's Bidi_Control: these turn the order of what follows around, also of what is not theirs.
_TURNING: Final = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_BREAKS: Final = frozenset("\t\n\v\f\r\x1c\x1d\x1e\x85\u2028\u2029")
_CONTROLS: Final = ("Cc", "Cs")  # ESC, BEL and their like, C1 among them; halves of surrogate pairs


def plain(text: object, *, lines: bool = False) -> str:
    r"""A text that cannot steer a terminal: of a control character nothing but "�" is left.

    Args:
        text: whatever is to be shown.
        lines: keep tabs and line breaks, as of a text in a box of its own; else they are blanks.

    >>> plain("a\x1b[2Jb\nc\u202ed"), plain("a\nb\r", lines=True)
    ('a�[2Jb c�d', 'a\nb�')
    """
    return "".join(_sign(letter, lines) for letter in str(text))


def _sign(letter: str, lines: bool) -> str:
    if lines and letter in "\t\n":
        return letter
    if letter in _BREAKS:
        return "�" if lines else " "
    return "�" if letter in _TURNING or unicodedata.category(letter) in _CONTROLS else letter


def counted(number: int, what: str) -> str:
    """How many there are of something.

    >>> counted(1, "label"), counted(2_000, "label")
    ('1 label', '2,000 labels')
    """
    return f"{number:,} {what}" + ("" if number == 1 else "s")


def markup(text: object) -> str:
    r"""The same, for a string in which rich reads marks.

    >>> markup("[red]\x1b")
    '\\[red]�'
    """
    return escape(plain(text))


def say(text: object, file: TextIO | None = None) -> None:
    """Print a line, on standard output unless told otherwise."""
    print(plain(text), file=sys.stdout if file is None else file, flush=True)


def first_line(thing: object, most: int = 80) -> str:
    """The beginning of what it prints as."""
    line = str(thing).strip().split("\n", 1)[0]
    return line if len(line) <= most else line[:most] + "…"
