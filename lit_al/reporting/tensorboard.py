"""TensorBoard events of a run: epoch curves that go on over rounds, one point per round, figures, texts picked."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from torch.utils.tensorboard import SummaryWriter

from lit_al.data import Corpus, shorten
from lit_al.loop.query import Query
from lit_al.loop.rounds import Round
from lit_al.metrics import Evaluation
from lit_al.training.history import Epoch

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TEXTS_SHOWN = 20
CHARACTERS_SHOWN = 120  # longer texts squeeze the columns of probabilities beside them
_MEANS_SOMETHING = {ord(sign): f"&#{ord(sign)};" for sign in "&<>|*_`[]!\\#~"}  # to Markdown or to HTML


class TensorBoardLog:
    """Writes a run's events; Lightning's own logger would start at step 0 in every fit.

    Args:
        folder: where the events go.
        corpus: gives class names and the texts picked.
        heading: what was run on what.
    """

    def __init__(self, folder: Path, corpus: Corpus, heading: str) -> None:
        self.corpus = corpus
        self.writer = SummaryWriter(str(folder))
        loud = "**DEMO CORPUS: generated texts; no figure here is one of IMDB.**\n\n" if corpus.is_demo else ""
        self._text("about", loud + heading, 0)
        self.steps = 0

    def epoch(self, epoch: Epoch) -> None:
        """Loss and accuracy of an epoch, on one axis over all fits."""
        self.steps += 1
        for name in ("loss", "accuracy"):
            for part, value in (("train", getattr(epoch, name)), ("val", getattr(epoch, f"val_{name}"))):
                if value is not None:
                    self._scalar(f"{name}/{part}", value, self.steps)
        self._scalar("round/fit", epoch.fit + 1, self.steps)

    def round(self, done: Round) -> None:
        """What steered a round and what it took."""
        assert done.steering is not None  # the example's loop judges before it chooses
        confusion, taken = done.steering.confusion, done.query.taken(len(self.corpus.classes))
        self._evaluation("round", done.steering, done.number)
        self._scalar("round/labels", done.labels, done.number)
        self._scalar("round/seconds", done.seconds.total, done.number)
        for name, share in zip(
            self.corpus.classes, done.query.choice.shares, strict=False
        ):  # not every strategy has shares
            self._scalar(f"share/{name}", share, done.number)
        for index, name in enumerate(self.corpus.classes):
            self._scalar(f"taken/{name}", taken[index], done.number)
            self._scalar(f"missed/{name}", int(confusion.missed[index]), done.number)
        self.picked(done.query)

    def picked(self, query: Query) -> None:
        """The first texts of a batch."""
        self._text("picked", _table(self.corpus, query), query.number)

    def lean_round(self, done: Round) -> None:
        """A round of the lean loop, over the number of labels; its loss over the steps of all fits."""
        for loss in done.fit.curve:
            self.steps += 1
            self._scalar("loss/train", loss, self.steps)
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
        for tag, value in values.items():
            self._scalar(tag, value, done.asked)
        if done.query.chosen:
            self.picked(done.query)

    def test(self, found: Evaluation) -> None:
        """The final test."""
        self._evaluation("test", found, 0)

    def figure(self, name: str, figure: "Figure") -> None:
        """A figure, in a group of its own."""
        figure.canvas.draw()
        image = np.asarray(figure.canvas.buffer_rgba())[..., :3]  # type: ignore[attr-defined]  # (H, W, 3) uint8
        self.writer.add_image(f"figures/{name}", image, 0, dataformats="HWC")

    def close(self) -> None:
        """Write what is left and close the file."""
        self.writer.close()

    def _evaluation(self, tag: str, found: Evaluation, step: int) -> None:
        self._scalar(f"{tag}/loss", found.loss, step)
        self._scalar(f"{tag}/accuracy", found.accuracy, step)
        self._scalar(f"{tag}/macro_f1", found.macro_f1, step)
        self._scalar(f"{tag}/false_negatives", found.confusion.false_negatives, step)
        self._scalar(f"{tag}/false_positives", found.confusion.false_positives, step)

    def _scalar(self, tag: str, value: float, step: int) -> None:
        self.writer.add_scalar(tag, value, step)

    def _text(self, tag: str, text: str, step: int) -> None:
        self.writer.add_text(tag, text, step)


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
