"""What is said as labeling ends: how much is saved and where, where the model is, and the next command."""

from collections.abc import Iterator
from pathlib import Path
from shlex import quote

from lit_al.exceptions import StoreError
from lit_al.record import Record
from lit_al.utils.terminal_text import counted

_BEST = Path("checkpoints", "best.ckpt")  # as `model_store` names it, which loads torch


def parting(record: Record, folder: Path) -> Iterator[str]:
    """A line for each.

    Args:
        record: of the run, open.
        folder: of the run, as the user calls it.
    """
    try:
        answers, model = len(record.answers()), record.newest_model()
    except StoreError:  # as where the folder was deleted meanwhile, which was said when the next answer came
        yield f"the record in {folder} cannot be read any more"
        return
    yield f"saved: {counted(answers, 'answer')} in {folder}; nothing is lost"
    if model is not None:
        yield f"model: version {model.version}, learned from {model.labels:,} labels, in {folder / _BEST}"
    run = quote(str(folder))
    if answers:
        yield f"next: lit-al export {run} --to {quote(folder.resolve().name + '-labels.csv')}"
        yield f"      lit-al fit {run} --name {quote(folder.resolve().name + '-model')}"
    yield f"go on: lit-al annotate --run {run}"
