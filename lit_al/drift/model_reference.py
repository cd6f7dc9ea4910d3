"""`Reference`: what a model's own texts were like, kept beside the model so that others can be held against them.

It is a file of counts, `reference.json`: no text is in it, and no word that the model's vocabulary does not hold. It is
made of texts whose labels the model has not learned, and read as new ones would be: a word that stands in one text
alone would be unknown if that text were new (`as_if_new`).
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from lit_al.calibration import LEAST, tempered
from lit_al.drift.accuracy_guess import Known
from lit_al.drift.text_counts import TextCounts, word_counts
from lit_al.exceptions import CheckpointError
from lit_al.text.encoder import UNKNOWN, TextEncoder
from lit_al.typing import Float64s, Floats, Ints
from lit_al.utils.folders import write_text
from lit_al.utils.terminal_text import first_line

FILE: Final = "reference.json"
SCHEMA: Final = 1
MOST: Final = 5_000  # texts that it is made of: more say little more
FEWEST: Final = 100  # texts that say anything
_LARGEST: Final = 2**22  # bytes of the file: thousands of counts have some ten thousand


@dataclass(frozen=True)
class Reference:
    """What is known of the texts of a model.

    Attributes:
        counts: of these texts.
        names: the C classes of the model.
        vocabulary: sha256 of the model's, for the words have its numbers.
        by: which texts they are, in words.
        known: how right and how sure the model was of those with a label; None with fewer than `calibration.LEAST`.
        temperature: that the model's logits have been divided by since the counts were made.
        exact: the model itself made it, of texts that it is not from; else models like it did, or of its own texts.
    """

    counts: TextCounts
    names: tuple[str, ...]
    vocabulary: str
    by: str
    known: Known | None = None
    temperature: float = 1.0
    exact: bool = True

    @classmethod
    def of(cls, counts: TextCounts, encoder: TextEncoder, names: Sequence[str], by: str) -> Self:
        """Of texts whose labels the model has not learned.

        Args:
            counts: of them.
            encoder: that made ids of them.
            names: of the classes.
            by: which texts they are.
        """
        return cls(counts, tuple(names), fingerprint_of(encoder), by)

    def knowing(self, said: Floats, labels: Ints) -> Self:
        """With how right the model is: probabilities (k, C) of texts whose labels (k,) it has not learned."""
        return replace(self, known=Known.of(said, labels)) if len(labels) >= LEAST else self

    def divided(self, temperature: float) -> Self:
        """For the same model, its logits divided by a temperature."""
        return replace(self, temperature=self.temperature * temperature)

    def plain(self, said: Floats) -> Float64s:
        """(n, C), what the model would have said when the counts were made, of what it says (n, C)."""
        return tempered(said, 1 / self.temperature)

    def check(self, encoder: TextEncoder, names: Sequence[str], where: str) -> None:
        """Refuse one that is of another model.

        Raises:
            CheckpointError: other classes, or another vocabulary.
        """
        if self.names != tuple(names) or self.vocabulary != fingerprint_of(encoder):
            raise CheckpointError(
                f"{where} is of another model: its classes or its words are others; fit or export the model again, or "
                "give texts of before as --reference FILE"
            )

    def write(self, folder: Path) -> None:
        """Write `reference.json`.

        Raises:
            RunError: it cannot be written.
        """
        known = {"known": asdict(self.known) if self.known else None, "temperature": self.temperature}
        known |= {"exact": self.exact}
        content = {"schema": SCHEMA, "by": self.by, "classes": list(self.names), "vocabulary": self.vocabulary, **known}
        text = json.dumps({**content, "counts": self.counts.described()}, ensure_ascii=False, allow_nan=False)
        write_text(folder / FILE, text + "\n")

    @classmethod
    def read(cls, path: Path) -> Self:
        """From such a file.

        Raises:
            CheckpointError: it is none, or damaged.
        """
        try:
            if path.stat().st_size > _LARGEST:
                raise ValueError("it is too large")
            found = json.loads(path.read_text(encoding="utf-8"))
            if not isinstance(found, dict) or found.get("schema") != SCHEMA:
                raise ValueError(f"it is not of schema {SCHEMA}")
            return cls._of_json(found)
        except (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
            reason = getattr(error, "strerror", None) or first_line(error)
            raise CheckpointError(
                f"{path} is no reference of a model ({reason}); fit or export the model again, or give texts of before "
                "as --reference FILE"
            ) from error

    @classmethod
    def _of_json(cls, found: dict[str, Any]) -> Self:
        names, known = found["classes"], found["known"]
        words = (*names, found["by"], found["vocabulary"]) if isinstance(names, list) and len(names) > 1 else (None,)
        if not all(isinstance(word, str) for word in words):
            raise ValueError("its words are none")
        temperature = float(found["temperature"])
        if not 1e-3 < temperature < 1e3:
            raise ValueError(f"its temperature is {temperature}")
        if not isinstance(found["exact"], bool):
            raise ValueError("it does not say whose it is")
        counts, labels = TextCounts.read(found["counts"], len(names)), Known.read(known) if known else None
        return cls(counts, tuple(names), words[-1], words[-2], labels, temperature, found["exact"])


def fingerprint_of(encoder: TextEncoder) -> str:
    """Of the vocabulary: 64 hex digits."""
    return hashlib.sha256("\n".join(encoder.vocabulary).encode("utf-8", "surrogatepass")).hexdigest()


def as_if_new(tokens: npt.NDArray[np.integer[Any]], chosen: Ints, words: int) -> npt.NDArray[Any]:
    """(n, T) ids of the chosen texts as a vocabulary would have them that was learned from all the others.

    A word that stands in one text alone is not in such a vocabulary, and so unknown there: the chance of an unknown
    word is that of words seen once (Good 1953).

    Args:
        tokens: (N, T) of all texts that the vocabulary was learned from.
        chosen: (n,) int64 rows of them.
        words: in the vocabulary.

    >>> as_if_new(np.array([[2, 3], [2, 4]]), np.array([0]), 5).tolist()
    [[2, 1]]
    """
    found = np.array(tokens[chosen])
    found[(found > UNKNOWN) & (word_counts(tokens, words)[found] <= 1)] = UNKNOWN
    return found
