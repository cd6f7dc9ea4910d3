"""A corpus: texts, class numbers and class names under stable row ids."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Self

import numpy as np
import numpy.typing as npt

from lit_al.data.duplicates import Copies, CopyGroups
from lit_al.exceptions import DataError
from lit_al.typing import UNLABELED, Ints
from lit_al.utils.readers import check_text

IMDB_CLASSES = ("negative", "positive")
IMDB_ROWS = 50_000
IMDB_REVIEWS = "0991038c12e67343cb2d599a909e0696fdb2e0c7a1b32687fbbad9c441781a95"  # `digest_of_reviews` of IMDB


@dataclass(frozen=True, eq=False)
class Corpus:
    """Texts with their labels; the id of a row is its position and never changes.

    Args:
        texts: N texts.
        labels: (N,) int64, the class of each text, -1 where it has no label; copied and made read-only.
        classes: C >= 2 names.
        source: where the texts come from, in a few words: `imdb`, `file reviews.csv`, `demo (seed 0, …)`.
        is_demo: whether the texts are generated; then no figure of them may pass for one of real reviews.
        notes: one-line remarks that the user should read.
        ids: N ids of the user's own, each once; None where no column of them was named.
        columns: what else the file holds, by column, each with N cells as they stand there.
        id_column: the column of the ids.
        label_column: the column of the labels, where the file has one.
        copies: which texts are copies of one another: `near`, `exact`, or `none`.

    Raises:
        DataError: labels, ids or columns that do not fit the texts, labels that do not fit the classes, or fewer than
            two classes.

    >>> corpus = Corpus(["dull", "a gem", "so so"], np.array([0, 1, -1]), ("negative", "positive"))
    >>> len(corpus), corpus.fingerprint[:8]
    (3, 'c8642418')
    """

    texts: Sequence[str] = field(repr=False)
    labels: Ints = field(repr=False)
    classes: tuple[str, ...]
    source: str = "memory"
    is_demo: bool = False
    notes: tuple[str, ...] = ()
    ids: Sequence[str] | None = field(default=None, repr=False)
    columns: Mapping[str, Sequence[object]] = field(default_factory=dict, repr=False)
    id_column: str | None = None
    label_column: str | None = None
    copies: Copies = "near"

    def __post_init__(self) -> None:
        labels = np.array(self.labels, dtype=np.int64)
        if labels.shape != (len(self.texts),):
            raise DataError(f"{len(self.texts)} texts need labels of shape ({len(self.texts)},), got {labels.shape}")
        if len(self.classes) < 2:
            raise DataError(f"a corpus needs two classes or more, got {self.classes}")
        for name in self.classes:
            check_text(name, f"the classes of {self.source}", "name of a class")
        if labels.size and not UNLABELED <= labels.min() <= labels.max() < len(self.classes):
            raise DataError(
                f"labels must lie in -1 .. {len(self.classes) - 1} for {len(self.classes)} classes, "
                f"got {labels.min()} .. {labels.max()}"
            )
        for name, cells in {**self.columns, **({} if self.ids is None else {"ids": self.ids})}.items():
            if len(cells) != len(self.texts):
                raise DataError(f"{len(self.texts)} texts need as many cells of {name!r}, got {len(cells)}")
        labels.setflags(write=False)
        object.__setattr__(self, "labels", labels)

    def __len__(self) -> int:
        return len(self.texts)

    @cached_property
    def keys(self) -> npt.NDArray[np.uint64]:
        """(N, 4) uint64, the sha256 of each text as four big-endian numbers: what is left of a text in any file.

        >>> f'{Corpus(["dull", "a gem"], np.array([0, 1]), ("negative", "positive")).keys[0, 0]:x}'
        '8f68ea0282db3790'
        """
        digests = b"".join(hashlib.sha256(text.encode()).digest() for text in self.texts)
        return np.frombuffer(digests, dtype=">u8").reshape(len(self.texts), 4).astype(np.uint64)

    @cached_property
    def order(self) -> Ints:
        """(N,) int64 rows by the sha256 of their texts, equal texts as they stand.

        The one order of rows that neither the order of a file nor a label has shaped: whatever is drawn from it by a
        seed, or summed up along it, is the same for the same texts in any file.
        """
        return np.lexsort(self.keys.T[::-1])

    def in_order(self, rows: Ints) -> Ints:
        """These rows (n,) int64, each once, in `order`.

        >>> corpus = Corpus(["dull", "a gem", "so so"], np.array([0, 1, -1]), ("negative", "positive"))
        >>> turned = Corpus(["so so", "a gem", "dull"], np.array([-1, 1, 0]), ("negative", "positive"))
        >>> [corpus.texts[row] for row in corpus.in_order(np.array([0, 1]))]
        ['dull', 'a gem']
        >>> [turned.texts[row] for row in turned.in_order(np.array([1, 2]))]
        ['dull', 'a gem']
        """
        wanted = np.zeros(len(self), np.bool_)
        wanted[rows] = True
        return self.order[wanted[self.order]]

    def at(self, rows: Ints) -> Self:
        """The corpus of these rows (n,) int64 in their order, with all that stands beside them.

        >>> Corpus(["dull", "a gem", "so so"], np.array([0, 1, -1]), ("bad", "good")).at(np.array([2, 0])).texts
        ['so so', 'dull']
        """
        listed = rows.tolist()
        return replace(
            self,
            texts=[self.texts[row] for row in listed],
            labels=self.labels[rows],
            ids=None if self.ids is None else [self.ids[row] for row in listed],
            columns={name: [cells[row] for row in listed] for name, cells in self.columns.items()},
        )

    @cached_property
    def grouped(self) -> CopyGroups:
        """Which texts are copies of one another, found once."""
        return CopyGroups.of(self.texts, self.copies)

    @property
    def is_example(self) -> bool:
        """Is it IMDB or the demo corpus? These are split as the example does, copies or not."""
        return self.is_demo or self.source == "imdb"

    def one_of_each(self, rows: Ints) -> Ints:
        """These rows (n,) without further copies of a text, in their order: those that are worth a question.

        Of each group the text of the least sha256 stays, so that the order of the file has no say.

        >>> corpus = Corpus(["so so", "a gem", "So so"], np.array([0, 1, 0]), ("negative", "positive"))
        >>> [corpus.texts[row] for row in corpus.one_of_each(np.array([2, 1, 0]))]
        ['So so', 'a gem']
        """
        ranked = rows[np.lexsort((self.labels[rows], *self.keys[rows].T[::-1]))]
        _, first = np.unique(self.grouped.numbers[ranked], return_index=True)
        return rows[np.isin(rows, ranked[first])]

    @cached_property
    def fingerprint(self) -> str:
        """Sha256 over the texts, then the labels, then the class names; 64 hex digits, computed once.

        Texts and names are UTF-8, each after its length in bytes, each list after its number of items; labels
        are int64. All numbers are little-endian and eight bytes wide. The order of the rows matters.
        """
        digest = hashlib.sha256()
        for words in (self.texts, self.classes):
            digest.update(_eight_bytes(len(words)))
            for word in words:
                content = word.encode()
                digest.update(_eight_bytes(len(content)))
                digest.update(content)
            if words is self.texts:
                digest.update(self.labels.astype("<i8").tobytes())
        return digest.hexdigest()


def digest_of_reviews(texts: Sequence[str], labels: Ints) -> str:
    """Sha256 over the sorted sha256 of each text with its class: the same for any order of the rows.

    >>> same = digest_of_reviews(["a", "b"], np.array([0, 1])) == digest_of_reviews(["b", "a"], np.array([1, 0]))
    >>> flipped = digest_of_reviews(["a", "b"], np.array([0, 1])) == digest_of_reviews(["a", "b"], np.array([1, 0]))
    >>> same, flipped
    (True, False)
    """
    rows = (f"{label} {text}".encode() for text, label in zip(texts, labels.tolist(), strict=True))
    return hashlib.sha256(b"".join(sorted(hashlib.sha256(row).digest() for row in rows))).hexdigest()


def is_imdb(texts: Sequence[str], labels: Ints) -> bool:
    """Whether these are IMDB's 50,000 reviews, 0 negative and 1 positive, in whatever order."""
    return len(texts) == IMDB_ROWS and digest_of_reviews(texts, labels) == IMDB_REVIEWS


def build_corpus(
    texts: Sequence[str],
    labels: Ints,
    classes: tuple[str, ...],
    source: str,
    *,
    is_demo: bool = False,
    notes: tuple[str, ...] = (),
    ids: Sequence[str] | None = None,
    columns: Mapping[str, Sequence[object]] | None = None,
    id_column: str | None = None,
    label_column: str | None = None,
    place: Callable[[int], str] | None = None,
    to_label: bool = False,
) -> Corpus:
    """A corpus that knows IMDB when it sees it, and notes empty texts and missing labels.

    Where people are to label the texts (`to_label`), missing labels are no news; `place` says where a row is.
    """
    if is_imdb(texts, labels):
        classes, source = IMDB_CLASSES, "imdb"
    empty = [row for row, text in enumerate(texts) if not text or text.isspace()]
    if empty:
        notes += (f"{len(empty):,} of {len(texts):,} texts are empty or only white space{_places(empty, place)}",)
    unlabeled = int((labels == UNLABELED).sum())
    if unlabeled and not to_label:
        notes += (f"{unlabeled:,} of {len(texts):,} rows have no label",)
    return Corpus(texts, labels, classes, source, is_demo, notes, ids, columns or {}, id_column, label_column)


def _places(rows: Sequence[int], place: Callable[[int], str] | None, most: int = 5) -> str:
    """Where some rows are, in brackets."""
    if place is None:
        return ""
    return f" ({', '.join(map(place, rows[:most]))}{', …' if len(rows) > most else ''}; --drop-empty leaves them out)"


def _eight_bytes(number: int) -> bytes:
    return number.to_bytes(8, "little")


def shorten(text: str, characters: int = 120) -> str:
    r"""The beginning of a text on one line, without its line breaks.

    >>> shorten("so so<br /><br />and\nmore", 9)
    'so so and…'
    """
    line = " ".join(text[: 100 * characters].replace("<br />", " ").split())
    return line if len(line) <= characters and len(text) <= 100 * characters else line[:characters].rstrip() + "…"
