"""The rows of a file and the texts of a run: which is which, whatever rows were added, moved or taken out since."""

from collections.abc import Iterator
from functools import cached_property

from lit_al.data import Corpus
from lit_al.data.beside import Beside
from lit_al.exceptions import RefusedError
from lit_al.record import Item, Record, sha256_of
from lit_al.record.matching import Wanted, matched
from lit_al.record.own_columns import OwnColumns
from lit_al.utils.cells import cell_at, id_word


class Rows:
    """The rows of a file that have a text, and the texts of the run that they are.

    A row is the text of its id, where the run has ids and the file has the column; else the one of its sha256; copies
    are taken in their order.

    Args:
        record: of the run.
        corpus: of the file.
        own: which columns are which.
        same: the file is the one that the run began with, to the letter.
        apart: the file may hold no text of the run.

    Attributes:
        items: numbers of texts, by row.
        new: rows whose text is not in the run.
        gone: how many texts of the run are not in the file.

    Raises:
        RefusedError: none of the file's texts is in the run, or one has the id of another.
    """

    def __init__(self, record: Record, corpus: Corpus, own: OwnColumns, *, same: bool, apart: bool = False) -> None:
        self.record, self.corpus, self.own = record, corpus, own
        self.full = [row for row, text in enumerate(corpus.texts) if text and not text.isspace()]
        self._said = {row: sha256_of(corpus.texts[row]) for row in self.full}
        self._there = record.digests()
        self.items = self._by_id()
        if same:
            self.items |= self._by_row()
        self.items |= self._by_text()
        self.new = [row for row in self.full if row not in self.items]
        self.gone = len(self._there.keys() - self.items.values())
        if self.full and not self.items and not apart:
            raise RefusedError(
                f"no text of {corpus.source} is one of {record.path.parent}; go on without the file (--run "
                f"{record.path.parent}), or give another --name"
            )

    @cached_property
    def ids(self) -> dict[int, str]:
        """The ids of rows, where each has one of its own."""
        if self.own.id is None:
            return {}
        columns = self.corpus.columns
        cells = ({name: cells[row] for name, cells in columns.items()} for row in self.full)
        words = [id_word(cell_at(one, self.own.id)) for one in cells]
        return dict(zip(self.full, words, strict=True)) if all(words) and len({*words}) == len(words) else {}

    @cached_property
    def _known(self) -> dict[str, int]:
        """The texts of the run that have an id, where the rows have ids too."""
        return self.own.ids(self.record) if self.ids else {}

    def _by_id(self) -> dict[int, int]:
        """The rows whose ids the run knows."""
        found = {row: self._known[word] for row, word in self.ids.items() if word in self._known}
        for row, item in found.items():
            if self._there[item] not in ("", self._said[row]):
                raise RefusedError(
                    f"the text of {self.own.id} {self.ids[row]!r:.60} in {self.corpus.source}, row {row + 1}, is "
                    f"another one than in {self.record.path.parent}; texts of a run never change: put the old one "
                    f"back, go on without the file (--run {self.record.path.parent}), or give another --name"
                )
        return found

    def _by_row(self) -> dict[int, int]:
        """The rows of the file that the run began with: what was lost or never written, nothing else can name."""
        taken = {*self._known.values()}
        left = (row for row in self.full if row not in self.items and row not in taken)
        return {row: row for row in left if self._there.get(row, "") in ("", self._said[row])}

    def _by_text(self) -> dict[int, int]:
        """The other rows, by what they say; one with another id than that of the same text is another text."""
        taken = {*self._known.values(), *self.items.values()}
        free = {item: sha256 for item, sha256 in self._there.items() if item not in taken}
        rows: dict[Wanted, int] = {(f"row {row}", self._said[row]): row for row in self.full if row not in self.items}
        return {rows[name]: item for name, item in matched(rows, free).items()}

    @property
    def wanted(self) -> bool:
        """Does the run lack a text of the file, or what stands beside one?"""
        record = self.record
        if record.count_texts() < record.count_items() or not self._there.keys() >= {*self.items.values()}:
            return True
        return bool(self.corpus.columns) and record.count_alone() > 0

    def texts(self, beside: Beside) -> Iterator[Item]:
        """The texts that the run has, or is to have, as they go into the record."""
        for row, item in self.items.items():
            yield Item(item, self._said[row], self.corpus.texts[row], beside.row(row))

    def new_texts(self, beside: Beside, first: int) -> Iterator[Item]:
        """The texts that the run lacks, numbered from `first` on."""
        for number, row in enumerate(self.new, first):
            yield Item(number, self._said[row], self.corpus.texts[row], beside.row(row))

    def notes(self) -> list[str]:
        """How the file differs from the run, a sentence each."""
        source, first = self.corpus.source, self.new[0] + 1 if self.new else 0
        notes = [
            f"texts of {source} that are not in this run: {len(self.new):,}, the first in row {first}; they are not "
            f"asked for, and no label moved: lit-al project {self.record.path.parent} add-texts FILE adds them"
        ]
        gone = f"texts of this run that are not in {source}: {self.gone:,}; they stay, with their labels"
        return (notes if self.new else []) + ([gone] if self.gone else [])
