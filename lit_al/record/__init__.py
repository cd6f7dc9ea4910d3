"""The record: one SQLite file per run that holds every answer ever given, and never loses or invents one.

| module | what it holds |
|---|---|
| `schema` | the tables, the triggers that refuse to change history, migrations |
| `database` | connections, transactions, what can go wrong, in words |
| `kinds` | items, events, answers, rankings as small frozen records |
| `texts`, `people` | what is labeled, and by whom |
| `events` | append, take back, and what is current |
| `rankings` | generations of the queue, models, rounds, small facts |
| `queue` | who gets which text next, under a lease |
| `facts` | what a run is: id, labels, settings |
| `checksums`, `sealing` | of every event, text and annotator, so that a flipped bit is found |
| `checking` | whether a file is what was written |
| `mirror` | a second copy of every event and text, one JSON line each |
| `recovery` | from whatever copies are left to a sound record |
| `lock` | one owner at a time |
| `store` | `Record`: all of it under one name |

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
from lit_al.record.lock import OwnerLock
from lit_al.record.recovery import recover
from lit_al.record.store import BACKUP_FILE, MIRROR_FILE, RECORD_FILE, Record, missing

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
    "RoundFacts",
    "damaged",
    "missing",
    "recover",
    "sha256_of",
]
