"""Corpora: labeled texts from the hub, from files, or generated; checked, named and fingerprinted."""

from lit_al.data.corpus import IMDB_CLASSES, IMDB_REVIEWS, Corpus, shorten
from lit_al.data.duplicates import (
    Copies,
    CopyGroups,
    PartDuplicates,
    count_contradictions,
    count_duplicates_across,
    duplicate_groups,
    first_copies,
)
from lit_al.data.labels import MAX_CLASSES
from lit_al.data.load import load_corpus

__all__ = [
    "IMDB_CLASSES",
    "IMDB_REVIEWS",
    "MAX_CLASSES",
    "Copies",
    "CopyGroups",
    "Corpus",
    "PartDuplicates",
    "count_contradictions",
    "count_duplicates_across",
    "duplicate_groups",
    "first_copies",
    "load_corpus",
    "shorten",
]
