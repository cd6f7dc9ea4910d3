"""A document as Markdown; its pictures are files beside it."""

import re
from functools import singledispatch

from lit_al.reporting.document import DEMO, Block, Bullets, Document, Heading, Paragraph, Picture, Table, legible

_MEANS_SOMETHING = {ord(sign): f"&#{ord(sign)};" for sign in "&<>|*_`[]\\#~$"}  # to Markdown, HTML or mathematics
_BEGINS_A_LIST = re.compile(r"[-+=]|\d+[.)]\s")


def render(document: Document) -> str:
    """The file; it ends with a line break."""
    top = [f"# {_safe(document.title)}", _safe(document.subtitle)]
    demo = [f"> **{_safe(DEMO)}**"] if document.demo else []
    return "\n\n".join([*demo, *top, *(_block(block) for block in document.blocks)]) + "\n"


def _safe(text: str) -> str:
    """On one line, without a sign that means something; a sign that would begin a list does not begin the line."""
    line = _cell(text)
    return f"&#{ord(line[0])};{line[1:]}" if _BEGINS_A_LIST.match(line) else line


@singledispatch
def _block(block: Block) -> str:
    raise TypeError(f"{type(block).__name__} is no block of a document")


@_block.register
def _(block: Heading) -> str:
    return f"## {_safe(block.text)}"


@_block.register
def _(block: Paragraph) -> str:
    text = _safe(block.text)
    return f"**{text}**" if block.tone in ("lead", "warning") else text


@_block.register
def _(block: Bullets) -> str:
    return "\n".join(f"- {_safe(item)}" for item in block.items)


@_block.register
def _(block: Picture) -> str:
    return f"![{_safe(block.alt)}]({block.name}.svg)"


@_block.register
def _(block: Table) -> str:
    rule = "|".join("---" if column < block.texts else "---:" for column in range(len(block.head)))
    head, *rows = ["| " + " | ".join(map(_cell, row)) + " |" for row in (block.head, *block.rows)]
    caption = [f"{_safe(block.caption)}:\n"] if block.caption else []
    return "\n".join([*caption, head, f"|{rule}|", *rows])


def _cell(text: str) -> str:
    return " ".join(legible(text).translate(_MEANS_SOMETHING).split())
