"""The record: one SQLite file per run that holds every answer ever given, and never loses or invents one.

Answers are events and events are never changed: to change one's mind, to take an answer back, to skip or to flag is a
new event. What is current is a view of them. An event is acknowledged only when its transaction has been committed and
synced.
"""

from lit_al.record.database import damaged
from lit_al.record.entries import (
    Action,
    Answer,
    Event,
    Generation,
    Item,
    ModelVersion,
    NewEvent,
    NewGeneration,
    Queued,
    Ranked,
    RoundFacts,
    sha256_of,
)
from lit_al.record.groups import TextGroups
from lit_al.record.lock import OwnerLock
from lit_al.record.recovery import recover
from lit_al.record.store import BACKUP_FILE, MIRROR_FILE, RECORD_FILE, Record, missing
from lit_al.record.verdicts import Resolve, TextVerdict

__all__ = [
    "BACKUP_FILE",
    "MIRROR_FILE",
    "RECORD_FILE",
    "Action",
    "Answer",
    "Event",
    "Generation",
    "Item",
    "ModelVersion",
    "NewEvent",
    "NewGeneration",
    "OwnerLock",
    "Queued",
    "Ranked",
    "Record",
    "Resolve",
    "RoundFacts",
    "TextGroups",
    "TextVerdict",
    "damaged",
    "missing",
    "recover",
    "sha256_of",
]
