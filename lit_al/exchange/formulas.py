"""Cells that a spreadsheet would take for formulas, made harmless in a way that can be undone.

A spreadsheet runs a cell that begins with = + - or @, also after blanks, also in the wide forms of East Asian
keyboards; tabs and line breaks at the start can move the rest into another cell. An apostrophe before it makes it a
text. A text that has apostrophes before such a beginning gets one more, so that the way back is never in doubt; all
others stay as they are, an ordinary apostrophe included.
"""

import re

_BLANKS = r"\s\u180e\u200b-\u200f\u2060\ufeff"  # \s has the no-break and the ideographic space
_SIGNS = "=+\\-@＝＋－＠﹦﹢﹣﹫"
_FORMULA = re.compile(f"'*[{_BLANKS}]*[{_SIGNS}\t\r\n]")


def guard(cell: str) -> str:
    """The cell as a text that no spreadsheet computes.

    >>> guard("=1+1"), guard(" +1"), guard("'=1"), guard("'tis fine"), guard("a=b")
    ("'=1+1", "' +1", "''=1", "'tis fine", 'a=b')
    """
    return f"'{cell}" if _FORMULA.match(cell) else cell


def unguard(cell: str) -> str:
    """What `guard` was given.

    >>> unguard("'=1+1"), unguard("''=1"), unguard("'tis fine"), unguard("=1")
    ('=1+1', "'=1", "'tis fine", '=1')
    """
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell, 1) else cell
