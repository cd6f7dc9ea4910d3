"""What the copies of a record prove.

A row is taken from the first copy in which it agrees with its checksum, or with the checksum that another copy has of
it; what no copy can prove is left out and named, for a label that nobody gave is worse than a text that is asked again.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from typing import Any

from lit_al.exceptions import RefusedError
from lit_al.record import checksums
from lit_al.record.checksums import Link, of_event
from lit_al.record.class_history import ClassChange, ClassHistory
from lit_al.record.copies import Copy
from lit_al.record.entries import Action, Event, misfit
from lit_al.record.facts import Facts, schema_hash
from lit_al.record.integrity import digest_of, named, text_is_sound
from lit_al.record.texts import place_of

_NAMED = 5  # rows that are named one by one


def merged_events(copies: Sequence[Copy], facts: Facts, notes: list[str]) -> list[tuple[Event, str]]:
    """The events that are proven, in their order and chained anew, each with the copy that it is from."""
    lost, mended = list[str](), list[str]()
    found: list[tuple[Link, str]] = []
    extra: list[tuple[Link, str]] = []
    for seq in sorted({seq for copy in copies for seq in copy.events}):
        here = [(copy.events[seq], copy.name) for copy in copies if seq in copy.events]
        proven = _proven(here, [copy.events[seq + 1] for copy in copies if seq + 1 in copy.events], notes)
        if not proven:
            lost.append(named(here[0][0].values))
        elif proven[0] != here[0]:
            mended.append(f"{named(proven[0][0].values)} was damaged in {here[0][1]} and is that of {proven[0][1]}")
        found += proven[:1]
        extra += proven[1:]
    events = _chained([*found, *extra], facts, lost)
    notes += _few(mended)
    notes += [f"sound in no copy, and left out: {', '.join(_few(lost))}"] if lost else []
    return events


def _few(words: Sequence[object]) -> list[str]:
    """The first ones, and how many more there are."""
    more = [f"{len(words) - _NAMED:,} more of the kind"] if len(words) > _NAMED else []
    return [*map(str, words[:_NAMED]), *more]


def _proven(here: Sequence[tuple[Link, str]], after: Sequence[Link], notes: list[str]) -> list[tuple[Link, str]]:
    """Of the ways in which copies have one event, those that a checksum proves: one, or none; more after a fork."""
    seals = {(link.before, link.checksum) for link, _ in here if link.checksum}
    found: dict[str, tuple[Link, str]] = {}
    here = [(link, name) for link, name in here if not misfit(link.values)]
    for link, name in here:
        if any(of_event(link.values, before) == checksum for before, checksum in seals):
            found.setdefault(link.values["uuid"], (link, name))
    if found:
        return [*found.values()]
    if not seals:
        return [_of_old(here, notes)] if here else []
    for link, name in here:  # is it the checksum that was damaged? The next event knows
        for before in {before for before, _ in seals}:
            own_sum = of_event(link.values, before)
            if any(own_sum == one.before or of_event(one.values, own_sum) == one.checksum for one in after):
                return [(link, name)]
    return []


def _of_old(here: Sequence[tuple[Link, str]], notes: list[str]) -> tuple[Link, str]:
    """Of before there were checksums: what most copies say; where none has most, the first."""
    says = [json.dumps(dict(link.values), sort_keys=True) for link, _ in here]
    most = Counter(says).most_common()
    if len(most) > 1 and most[0][1] == most[1][1]:
        first, second = here[says.index(most[0][0])], here[says.index(most[1][0])]
        notes.append(
            f"{named(first[0].values)} is {first[0].values['label']!r} by {first[1]} and "
            f"{second[0].values['label']!r} by {second[1]}, and no third copy tells; the first was taken, look at it"
        )
    return here[says.index(most[0][0])]


def _chained(found: Iterable[tuple[Link, str]], facts: Facts, lost: list[str]) -> list[tuple[Event, str]]:
    """Events in one chain from the first on, without those that cannot stand."""
    events: dict[str, tuple[Event, str]] = {}
    before, history, undone = facts.run_id, ClassHistory(facts.classes), set[str]()
    for link, source in found:
        values = dict(link.values)
        target = values["undoes"]
        seq, hashed = len(events) + 1, schema_hash(history.names)
        bad_label = values["label"] is not None and values["label"] not in history.names
        if values["action"] == Action.CLASSES:
            try:
                history = history.after(seq, ClassChange.of_note(values["note"]))
            except (ValueError, RefusedError):
                bad_label = True
        if bad_label or (target is not None and (target not in events or target in undone)):
            lost.append(named(values))
        elif values["uuid"] not in events:
            undone |= {target} if target is not None else set()
            values |= {"seq": seq, "schema_hash": hashed}
            before = of_event(values, before)
            event = Event(**{**values, "action": Action(values["action"])}, checksum=before)
            events[event.uuid] = event, source
    return [*events.values()]


def proven_texts(
    copies: Sequence[Copy], facts: Facts, wanted: Iterable[int], notes: list[str]
) -> Iterator[dict[str, Any]]:
    """Every text that a copy has, proven, and places for those that events speak of and no copy has."""
    seed = str(facts.settings.get("seed", 0))
    lost, mended = list[int](), list[str]()
    for number in sorted({*wanted}.union(*(copy.texts for copy in copies))):
        here = [(copy.texts[number], copy.name) for copy in copies if number in copy.texts]
        row, source = _proven_text([row for row, _ in here], seed)
        if row is None:
            lost.append(number)
            sha256 = _proven_digest(here)
            place = place_of(seed, sha256 or str(number))  # its own, lest all that are lost stand in one
            row = {"id": number, "sha256": sha256, "text": None, "meta": "{}", "place": place}
        elif source:
            mended.append(f"text {number} was damaged in {here[0][1]} and is that of {here[source][1]}")
        yield {**row, "checksum": checksums.of_text(row)}
    notes += _few(mended)
    if lost:
        notes.append(
            f"sound in no copy are the words of text {', '.join(_few(lost))}: lit-al annotate with the --data of the "
            "run brings them back"
        )


def _proven_text(here: Sequence[dict[str, Any]], seed: str) -> tuple[dict[str, Any] | None, int]:
    """The first way in which copies have a text that a checksum proves, and which copy it is; None if there is none."""
    seals = {row.get("checksum") or "" for row in here} - {""}
    for source, row in enumerate(here):
        if row["text"] is not None and not digest_of(row["text"]):
            continue
        digests = (row["sha256"], digest_of(row["text"]))
        for sha256, own_place in product(digests, (False, True)):
            tried = {**row, "sha256": sha256, "place": row["place"] if own_place else place_of(seed, sha256)}
            if text_is_sound(row["text"], sha256) and (
                checksums.of_text(tried) in seals or (not seals and sha256 == row["sha256"])
            ):
                return tried, source
    return None, 0


def _proven_digest(here: Sequence[tuple[dict[str, Any], str]]) -> str:
    """The sha256 of a text whose words are lost, if a checksum proves that; else ""."""
    seals = {row.get("checksum") or "" for row, _ in here} - {""}
    return next((row["sha256"] for row, _ in here if checksums.of_text({**row, "text": ""}) in seals), "")


def proven_people(
    copies: Sequence[Copy], events: Sequence[tuple[Event, str]], notes: list[str]
) -> Iterator[dict[str, Any]]:
    """Annotators that are proven; those who have answered are there in any case, if need be with a new link."""
    first = {event.annotator: event.server_time for event, _ in reversed(events)}
    for name in dict.fromkeys([*first, *(name for copy in copies for name in copy.people)]):
        here = [copy.people[name] for copy in copies if name in copy.people]
        seals = {row.get("checksum") or "" for row in here} - {""}
        sound = (row for row in here if checksums.of_annotator(row) in seals or not seals)
        if (row := next(sound, None)) is None:
            if name not in first:
                notes.append(f"the annotator {name!a} is sound in no copy, and left out; name them again")
                continue
            notes.append(f"{name!r} gets a new link")
            row = {"name": name, "token": None, "created": first[name], "removed": None}
        yield {**row, "checksum": checksums.of_annotator(row)}
