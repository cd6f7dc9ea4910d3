"""Tables for notebooks: what `_repr_html_` returns, in plain HTML that every notebook's own style suits."""

from collections.abc import Iterable, Sequence
from html import escape

from lit_al.utils.terminal_text import plain

MOST = 20  # rows shown; the others are counted


def html_table(caption: str, headings: Sequence[str], rows: Iterable[Sequence[object]], most: int = MOST) -> str:
    """A table whose cells are text, whatever they hold.

    Args:
        caption: above it.
        headings: C.
        rows: each of C cells; numbers with a fraction get three places, None is an empty cell.
        most: rows shown.

    >>> html_table("one", ["text", "p"], [["<b>", 0.12345]])
    '<table><caption>one</caption><tr><th>text</th><th>p</th></tr><tr><td>&lt;b&gt;</td><td>0.123</td></tr></table>'
    """
    rows = list(rows)
    more = f" (the first {most:,} of {len(rows):,})" if len(rows) > most else ""
    head = f"<table><caption>{_cell(caption + more)}</caption>{_row('th', headings)}"
    return head + "".join(_row("td", row) for row in rows[:most]) + "</table>"


def _row(tag: str, cells: Iterable[object]) -> str:
    return "<tr>" + "".join(f"<{tag}>{_cell(cell)}</{tag}>" for cell in cells) + "</tr>"


def _cell(value: object) -> str:
    if value is None:
        return ""
    return escape(plain(f"{value:.3f}" if isinstance(value, float) else value))
