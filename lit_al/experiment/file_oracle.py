"""People answer by file: a round asks in `RUN/questions/round-N.csv`, and the answers come back into the record.

Nothing here loads a model, so that a file with a mistake is refused at once.
"""

from collections.abc import Callable
from pathlib import Path

from lit_al.exceptions import ConfigError
from lit_al.exchange import import_answers
from lit_al.exchange.carried import Carried
from lit_al.exchange.questions import questions_csv
from lit_al.exchange.shapes import Question
from lit_al.experiment.resume import Resume
from lit_al.record import OwnerLock, Record, RoundFacts
from lit_al.utils.folders import write_bytes


def ready(order: Resume, say: Callable[[str], object]) -> bool:
    """Take the answers in that an order brings, all or none; is there something to go on with?

    Args:
        order: to go on with a run.
        say: called with what there is to say.

    Raises:
        ConfigError: answers for a run that asks nobody.
        DataError: answers that cannot be taken, or no settings of a run.
        StoreError: no such run, or one that somebody else is at.
    """
    with Record.open(order.folder) as record:
        for sentence in record.mended:
            say(sentence)
        if (record.state("run") or {}).get("finished"):
            say(f"{order.folder} is finished; there is nothing to go on with")
            return False
        config = record.settings.get("config")
        if not isinstance(config, dict) or config.get("oracle") != "file":
            if order.answers is not None:
                raise ConfigError(f"{order.folder} asks nobody, so that it takes no --answers; leave them out")
            return True
        if order.answers is not None:
            with OwnerLock(order.folder, "train.py --answers"):
                found = import_answers(record, order.answers, dry_run=order.dry_run, source="file")
                if not order.dry_run:
                    record.backup()
            say(found.in_words())
            if order.dry_run:
                return False
        left, asked = waiting(record)
        if left:
            say(f"{len(left):,} of {len(asked):,} texts are not answered yet; nothing was trained")
            say(what_to_do(record, order.folder))
        return not left


def waiting(record: Record) -> tuple[list[int], tuple[int, ...]]:
    """The texts that a run waits for, and all that were asked together with them; none where it waits for none."""
    rounds = record.rounds()
    if not rounds or rounds[-1].ended:
        return [], ()
    answered = {answer.item for answer in record.answers()}
    return [row for row in rounds[-1].rows if row not in answered], rounds[-1].rows


def what_to_do(record: Record, folder: Path) -> str:
    """Write the questions that wait, where that has not been done; how to answer them, in words."""
    asking = record.rounds()[-1]
    path = folder / "questions" / f"round-{asking.number}.csv"
    if not path.exists():  # never over one that somebody may be writing answers into
        path.parent.mkdir(exist_ok=True)
        own = Carried(record, labels=False)
        write_bytes(path, questions_csv(_questions(record, asking, own), list(own.names.values())))
    names = ", ".join(record.classes)
    return (
        f"fill in the column label of {path} ({names}; or skip in the column action), then go on with: "
        f"python scripts/train.py --resume {folder} --answers {path}"
    )


def _questions(record: Record, asking: RoundFacts, own: Carried) -> list[Question]:
    left, _ = waiting(record)
    return [
        Question(item.id, item.sha256, item.text or "", round=asking.number, own=own.of(item))
        for item in record.items(left)
    ]
