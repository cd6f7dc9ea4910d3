"""What a report is made of. A document is plain data; `html` and `markdown` turn it into text."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Tone = Literal["plain", "lead", "good", "open", "bad", "warning", "small"]


@dataclass(frozen=True)
class Heading:
    """Begins a section."""

    text: str


@dataclass(frozen=True)
class Paragraph:
    """A paragraph and how it is meant: `good`, `open` and `bad` are findings, a `warning` must not be missed."""

    text: str
    tone: Tone = "plain"


@dataclass(frozen=True)
class Bullets:
    """A list."""

    items: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes:
        caption: what it shows.
        head: names of the columns.
        rows: their cells, as many as there are columns.
        texts: columns from the left that hold words; the others hold numbers.
        wide: the first column holds long texts.
    """

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    texts: int = 1
    wide: bool = False


@dataclass(frozen=True)
class Picture:
    """A picture in SVG.

    Attributes:
        name: of its file, without ending.
        alt: what it shows, for those who do not see it.
        svg: the file.
    """

    name: str
    alt: str
    svg: bytes


Block = Heading | Paragraph | Bullets | Table | Picture


@dataclass(frozen=True)
class Document:
    """A report.

    Attributes:
        title: of the page.
        subtitle: what was run on what.
        blocks: from top to bottom.
        demo: the corpus was generated; the report says so before anything else.
    """

    title: str
    subtitle: str
    blocks: Sequence[Block]
    demo: bool = False


DEMO = "DEMO CORPUS: the texts were generated; no figure here is one of real reviews."


def legible(text: str) -> str:
    r"""Text that any file and any reader can take: control characters and broken halves of letters are replaced.

    >>> legible("a\x00b\ud800\n")
    'a�b?\n'
    """
    whole = text.encode("utf-8", "replace").decode("utf-8")
    return "".join(
        letter if letter.isprintable() or letter in " \n\t" or ord(letter) > 0x9F else "�" for letter in whole
    )
