"""What a misspelled word may have meant: one way to ask for every name that a user can type."""

from collections.abc import Iterable
from difflib import get_close_matches


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A question with a blank behind it, or "" where nothing known is near; case does not count.

    >>> did_you_mean("entrpy", ["margin", "entropy"])
    "did you mean 'entropy'? "
    >>> did_you_mean("Positive", ["negative", "positive"]), did_you_mean("xyz", ["margin"])
    ("did you mean 'positive'? ", '')
    """
    names = {name.strip().lower(): name for name in reversed(list(known))}  # of two alike the first
    close = get_close_matches(word.strip().lower(), names, n=1, cutoff=0.7)
    return f"did you mean {names[close[0]]!r}? " if close else ""
