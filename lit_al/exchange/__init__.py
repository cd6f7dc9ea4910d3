"""Files out and in: what people and other tools label, and what other programs learn from.

| module | what it holds |
|---|---|
| `formulas` | cells that a spreadsheet would compute, made harmless and back |
| `kinds` | questions, labeled texts, answers, reports as small frozen records |
| `writing` | rows to the bytes of CSV and JSONL; files that are whole and replace no other |
| `questions`, `answers` | texts to be labeled, out to CSV or JSONL; their answers, in |
| `labelstudio`, `argilla`, `prodigy` | the same in the shapes of these tools |
| `checking` | answers held against what was asked: all are taken, or none |
| `labeled` | the labeled texts as CSV, JSONL, Parquet |
| `eventlog` | every event of a record as JSONL, out and in |
| `outgoing`, `incoming` | `export` and `import_answers`: all this joined to a record |

docs/files.md shows each shape.
"""

from lit_al.exchange.incoming import FORMATS as IMPORTED
from lit_al.exchange.incoming import import_answers
from lit_al.exchange.outgoing import FORMATS as EXPORTED
from lit_al.exchange.outgoing import export
from lit_al.exchange.shapes import Report

__all__ = ["EXPORTED", "IMPORTED", "Report", "export", "import_answers"]
