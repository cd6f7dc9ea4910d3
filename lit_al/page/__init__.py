"""A report as one file: HTML that loads nothing from elsewhere, and the same in Markdown.

| module | what it holds |
|---|---|
| `document` | what a report is made of: headings, paragraphs, tables, pictures |
| `html`, `markdown` | a document as text; every word of it escaped |
| `benchmark` | the report of a benchmark: verdict, curves, tables |
| `run` | the report of one run: curves, errors, texts picked, flaws of its protocol |
| `lean` | what is different where the protocol is the lean one |
"""

from lit_al.page.benchmark import About, benchmark_document, write_benchmark_report
from lit_al.page.run import Picked, picked_texts, run_document, write_run_report

__all__ = [
    "About",
    "Picked",
    "benchmark_document",
    "picked_texts",
    "run_document",
    "write_benchmark_report",
    "write_run_report",
]
