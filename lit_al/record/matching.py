"""Which text of a file is which text of a run: by what it says, never by where it stands."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping

Wanted = tuple[Hashable, str]  # a name for the text in its file, or its number in the run; and its sha256


def matched(wanted: Iterable[Wanted], there: Mapping[int, str]) -> dict[Wanted, int]:
    """The texts of a run that are those of a file; copies, which nothing else tells apart, in their order.

    Args:
        wanted: texts of the file. One that is named by a number is the text of that number where both say the same;
            the others are the copies that are left: those with numbers by these, then the rest as they come.
        there: sha256 of each text of the run, by number.

    Returns:
        The numbers in the run, each once; without the texts that it does not have, or not so often.

    >>> matched([("row 1", "gem"), ("row 2", "dull"), ("row 3", "gem"), ("row 4", "gem")], {5: "gem", 7: "gem"})
    {('row 1', 'gem'): 5, ('row 3', 'gem'): 7}
    >>> matched([(7, "gem"), ("#0", "gem")], {5: "gem", 7: "gem"})
    {(7, 'gem'): 7, ('#0', 'gem'): 5}
    """
    copies: dict[str, list[int]] = defaultdict(list)
    for number in sorted(there):
        copies[there[number]].append(number)
    groups: dict[str, list[Hashable]] = defaultdict(list)
    for name, sha256 in dict.fromkeys(wanted):
        if sha256 in copies:
            groups[sha256].append(name)
    found: dict[Wanted, int] = {}
    for sha256, names in groups.items():
        same = {number for number in copies[sha256] if number in names}
        found |= {(number, sha256): number for number in names if number in same and isinstance(number, int)}
        numbered = sorted(name for name in names if isinstance(name, int) and name not in same)
        others = [name for name in names if not isinstance(name, int)]
        left = (number for number in copies[sha256] if number not in same)
        found |= {(name, sha256): number for name, number in zip([*numbered, *others], left, strict=False)}
    return found
