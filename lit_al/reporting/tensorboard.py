"""What a run logs: curves that go on over rounds, a point per round; in TensorBoard figures and texts picked, too."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from torch.utils.tensorboard import SummaryWriter

from lit_al.data import Corpus, shorten
from lit_al.loop.query import Query
from lit_al.loop.rounds import Round
from lit_al.metrics import Evaluation
from lit_al.reporting.loggers import MetricLoggers
from lit_al.training.history import Epoch

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TEXTS_SHOWN = 20
CHARACTERS_SHOWN = 120  # longer texts squeeze the columns of probabilities beside them
_MEANS_SOMETHING = {ord(sign): f"&#{ord(sign)};" for sign in "&<>|*_`[]!\\#~"}  # to Markdown or to HTML


class TensorBoardLog:
    """Writes a run's events; Lightning's own logger would start at step 0 in every fit.

    Args:
        folder: where the events go; None for no events.
        corpus: gives class names and the texts picked.
        heading: what was run on what.
        others: get the same metrics.
    """

    def __init__(self, folder: Path | None, corpus: Corpus, heading: str, others: MetricLoggers | None = None) -> None:
        self.corpus, self.others = corpus, others
        self.writer = None if folder is None else SummaryWriter(str(folder))
        loud = "**DEMO CORPUS: generated texts; no figure here is one of IMDB.**\n\n" if corpus.is_demo else ""
        self._text("about", loud + heading, 0)
        self.steps = 0

    def epoch(self, epoch: Epoch) -> None:
        """Loss and accuracy of an epoch, on one axis over all fits."""
        self.steps += 1
        values = {"round/fit": epoch.fit + 1}
        for name in ("loss", "accuracy"):
            for part, value in (("train", getattr(epoch, name)), ("val", getattr(epoch, f"val_{name}"))):
                if value is not None:
                    values[f"{name}/{part}"] = value
        self._scalars(values, self.steps)

    def round(self, done: Round) -> None:
        """What steered a round and what it took."""
        assert done.steering is not None  # the example's loop judges before it chooses
        confusion, taken = done.steering.confusion, done.query.taken(len(self.corpus.classes))
        values = {**_evaluation("round", done.steering), "round/labels": done.labels}
        values["round/seconds"] = done.seconds.total
        shares = zip(self.corpus.classes, done.query.choice.shares, strict=False)  # not every strategy has shares
        values |= {f"share/{name}": share for name, share in shares}
        for index, name in enumerate(self.corpus.classes):
            values |= {f"taken/{name}": taken[index], f"missed/{name}": int(confusion.missed[index])}
        self._scalars(values, done.number)
        self.picked(done.query)

    def picked(self, query: Query) -> None:
        """The first texts of a batch."""
        self._text("picked", _table(self.corpus, query), query.number)

    def lean_round(self, done: Round) -> None:
        """A round of the lean loop, over the number of labels; its loss over the steps of all fits."""
        for loss in done.fit.curve:
            self.steps += 1
            self._scalars({"loss/train": loss}, self.steps)
        values = {"cost": done.bill.cost}
        if done.test:
            values |= {"test/accuracy": done.test.accuracy, "test/macro_f1": done.test.macro_f1}
            values |= {"test/loss": done.test.loss}
        validated = done.validation.all if done.validation else None
        for name, found in (("controls", done.estimate), ("validation", validated)):
            if found:
                low, high = found.interval
                values |= {f"{name}/accuracy": found.accuracy, f"{name}/low": low, f"{name}/high": high}
        values |= {f"seconds/{part}": seconds for part, seconds in vars(done.seconds).items()}
        taken = done.query.taken(len(self.corpus.classes))
        values |= {f"taken/{name}": count for name, count in zip(self.corpus.classes, taken, strict=True)}
        self._scalars(values, done.asked)
        if done.query.chosen:
            self.picked(done.query)

    def test(self, found: Evaluation) -> None:
        """The final test."""
        self._scalars(_evaluation("test", found), 0)

    def figure(self, name: str, figure: "Figure") -> None:
        """A figure, in a group of its own."""
        if self.writer is None:
            return
        figure.canvas.draw()
        image = np.asarray(figure.canvas.buffer_rgba())[..., :3]  # type: ignore[attr-defined]  # (H, W, 3) uint8
        self.writer.add_image(f"figures/{name}", image, 0, dataformats="HWC")

    def close(self, status: str = "finished") -> None:
        """Write what is left and close the file.

        Args:
            status: how the run ended, as in `results.json`.
        """
        if self.writer is not None:
            self.writer.close()
        if self.others is not None:
            self.others.close(status)

    @contextmanager
    def again(self) -> Iterator[None]:
        """Inside, what is shown was shown in an earlier sitting: who keeps it elsewhere is not told twice."""
        if self.others is not None:
            self.others.replays = True
        yield
        if self.others is not None:
            self.others.replays = False

    def _scalars(self, values: Mapping[str, float], step: int) -> None:
        if self.writer is not None:
            for tag, value in values.items():
                self.writer.add_scalar(tag, value, step)
        if self.others is not None:
            self.others.scalars(values, step)

    def _text(self, tag: str, text: str, step: int) -> None:
        if self.writer is not None:
            self.writer.add_text(tag, text, step)


def _evaluation(tag: str, found: Evaluation) -> dict[str, float]:
    confusion = found.confusion
    values = {"loss": found.loss, "accuracy": found.accuracy, "macro_f1": found.macro_f1}
    values |= {"false_negatives": confusion.false_negatives, "false_positives": confusion.false_positives}
    return {f"{tag}/{name}": value for name, value in values.items()}


def _table(corpus: Corpus, query: Query) -> str:
    """The first texts picked, as a Markdown table."""
    lines = [f"| row | {' | '.join(f'p({escape(name)})' for name in corpus.classes)} | text |"]
    lines.append("|---|" + "---|" * (len(corpus.classes) + 1))
    known = np.empty((0, 0)) if query.probabilities is None else query.probabilities[:TEXTS_SHOWN]
    for row, probabilities in zip(query.rows.tolist(), known.tolist(), strict=False):
        cells = " | ".join(f"{probability:.3f}" for probability in probabilities)
        lines.append(f"| {row} | {cells} | {escape(shorten(corpus.texts[row], CHARACTERS_SHOWN))} |")
    return "\n".join(lines)


def escape(text: str) -> str:
    """A text that means nothing to Markdown or HTML: it breaks no table, loads no picture, links nowhere.

    >>> escape("a|b <img src=x>")
    'a&#124;b &#60;img src=x&#62;'
    """
    return text.translate(_MEANS_SOMETHING)
