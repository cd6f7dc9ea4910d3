"""Files out and in: what people and other tools label, and what other programs learn from.

docs/files.md shows each shape.
"""

from lit_al.exchange.conflicts import export_conflicts
from lit_al.exchange.incoming import import_answers
from lit_al.exchange.outgoing import export
from lit_al.exchange.shapes import Report

__all__ = ["Report", "export", "export_conflicts", "import_answers"]
