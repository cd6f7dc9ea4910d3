"""Corpora: labeled texts from the hub, from files, or generated; checked, named and fingerprinted.

| module | what it holds |
|---|---|
| `corpus` | `Corpus`, its fingerprint, and how IMDB is recognized by its reviews |
| `labels` | from the labels of a file to class numbers and names |
| `tables` | readers of CSV, JSONL and Parquet |
| `hub` | IMDB from the Hugging Face hub or its cache |
| `bounds` | how much of a Parquet file fits into memory |
| `load` | `load_corpus`: what `--data` means |
| `duplicates` | exact copies, inside a part of the corpus and across parts |
"""

from lit_al.data.corpus import IMDB_CLASSES, IMDB_REVIEWS, UNLABELED, Corpus, shorten
from lit_al.data.duplicates import (
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
    "UNLABELED",
    "Corpus",
    "PartDuplicates",
    "count_contradictions",
    "count_duplicates_across",
    "duplicate_groups",
    "first_copies",
    "load_corpus",
    "shorten",
]
