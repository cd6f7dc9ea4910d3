"""The student: the network learns from all texts at once, from soft labels and from what no label is needed for.

Each text of the pool has a target, a distribution over the classes: the teacher's for most, the true label for those
that were paid for. Two losses need no target at all. Virtual adversarial training (Miyato et al. 2017) asks that the
prediction stay as it is when the words move in the direction that would change it most; entropy minimization
(Grandvalet and Bengio 2005) asks the network to be sure. Words are dropped at random, so that no single one decides.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import lightning as L
import numpy as np
import torch
from scipy.optimize import brentq
from scipy.special import softmax
from torch import Tensor
from torch.nn import functional as F

from lit_al.data.split import without
from lit_al.models.ensemble import LitCommittee
from lit_al.text.bucketing import in_windows, lengths_of
from lit_al.text.encoder import PADDING, UNKNOWN
from lit_al.training.fitting import fit, plain_trainer
from lit_al.training.recipe import Recipe
from lit_al.training.steps import LabeledSet, StepCallback
from lit_al.training.teacher import SoftLabels
from lit_al.training.word_rows import RowwiseRMSprop, WordRows
from lit_al.typing import Float32s, Float64s, Ints, Rows

REPEATED: Final = 0.1  # share of a pass that goes to labeled texts, beside their place among all
TRUST: Final = 0.5  # in a label; the rest in what the teacher, who had not seen it, makes of the text
CLEAR: Final = 0.7  # mean probability of its answers with which a teacher is understood
SHARPEST: Final = 1_000.0
MOST_RESERVED: Final = 500  # texts that tell how well a student follows
RESERVING: Final = 1  # a stream of chance of its own, so that shuffles do not depend on it
STEP: Final = 0.1  # how far a word moves against the network, as a share of its vector's length
PROBE: Final = 0.01  # how far it moves to find the direction, likewise


def sharpness(logits: Float64s) -> float:
    """By how much a teacher must be surer of itself for its student to see what it means.

    A teacher of many classes and few labels is honest where it gives its answer 3 % and 76 others a little less; a
    student would learn that all are alike. So the lesson is sharpened until the answers have `CLEAR` on average, and
    the student's logits are softened as much in the end (`soften`): what is delivered is as unsure as the teacher.

    Args:
        logits: (n, C) of texts to learn from.

    Returns:
        1 or more.
    """

    def clarity(factor: float) -> float:
        return float(softmax(factor * logits, axis=1).max(axis=1).mean())

    if clarity(1.0) >= CLEAR or clarity(SHARPEST) <= CLEAR:  # sure enough, or without a tendency
        return 1.0
    return float(brentq(lambda factor: clarity(factor) - CLEAR, 1.0, SHARPEST, rtol=1e-3))


def soften(model: LitCommittee, factors: Sequence[float]) -> None:
    """Divide each member's logits by its factor, for good."""
    with torch.no_grad():
        for name, weight in zip(model.net.names, model.net.weights, strict=True):
            if name.startswith("head."):
                by = torch.tensor(factors, dtype=weight.dtype, device=weight.device)  # (M,)
                weight.div_(by.view(-1, *[1] * (weight.ndim - 1)))


def reserve(
    rows: Rows, labeled_sets: Sequence[LabeledSet], opinions: Sequence[SoftLabels]
) -> tuple[Ints, Float32s] | None:
    """Texts that tell how well each member follows its teacher: drawn from those without a label, and not learned from.

    Args:
        rows: (u,) int64 texts that may be learned from.
        labeled_sets: M, the labels of each member.
        opinions: M, of the teachers.

    Returns:
        Rows (M, h) int64 and the teachers' probabilities (M, h, C) float32, h at most `MOST_RESERVED`, a tenth of the
        texts, and as many as have no label; None where that is nothing.
    """
    free = [without(rows, labeled_set.rows) for labeled_set in labeled_sets]
    size = min(MOST_RESERVED, len(rows) // 10, *map(len, free))
    if size == 0:
        return None
    drawn = [
        np.random.default_rng([labeled_set.seed, RESERVING]).choice(texts, size, replace=False)
        for texts, labeled_set in zip(free, labeled_sets, strict=True)
    ]
    targets = [opinion.probabilities[texts] for texts, opinion in zip(drawn, opinions, strict=True)]
    return np.stack(drawn), np.stack(targets)


def assign(
    rows: Rows,
    labeled_sets: Sequence[LabeledSet],
    classes: int,
    opinions: Sequence[SoftLabels] | None,
    reserved: Ints | None = None,
) -> tuple[Ints, Float32s]:
    """Which texts a member meets in a pass, and what it is to make of each.

    A label is mixed with the teacher's opinion of its text, which softens labels that are wrong or a matter of taste.
    Labeled texts come as often as makes them a share of `REPEATED`, or of a half where there is no teacher: among
    thousands of texts a hundred labels would hardly be met.

    Args:
        rows: (u,) int64 texts that may be learned from, in any order.
        labeled_sets: M, the labels of each member, of texts among them; one label at least.
        classes: C.
        opinions: M, of the teachers; None where there are none.
        reserved: (M, h) int64 texts that are left out, for each member its own; None for none.

    Returns:
        Rows (M, v) int64 and targets (M, v, C) float32: a distribution, or nothing but zeros for a text of which
        nothing is known.
    """
    parts = [
        _assigned(
            rows if reserved is None else without(rows, reserved[member]),
            labeled_set,
            classes,
            opinions[member] if opinions else None,
        )
        for member, labeled_set in enumerate(labeled_sets)
    ]
    return np.stack([texts for texts, _ in parts]), np.stack([targets for _, targets in parts])


def _assigned(rows: Rows, labeled_set: LabeledSet, classes: int, opinion: SoftLabels | None) -> tuple[Ints, Float32s]:
    """Rows (v,) and targets (v, C) of a member."""
    share = 0.5 if opinion is None else REPEATED
    extra = round(share / (1 - share) * len(rows))
    again = np.resize(np.arange(len(labeled_set.rows)), extra)  # places of labels, one round after the other
    truth = np.eye(classes, dtype=np.float32)[labeled_set.answers]  # (n, C)
    targets = np.zeros((len(rows), classes), np.float32)
    if opinion is not None:
        targets = opinion.probabilities[rows]
        truth = TRUST * truth + (1 - TRUST) * softmax(opinion.held_out, axis=1).astype(np.float32)
    order = np.argsort(rows)
    targets[order[np.searchsorted(rows, labeled_set.rows, sorter=order)]] = truth
    return np.concatenate([rows, labeled_set.rows[again]]), np.concatenate([targets, truth[again]])


def study(
    model: LitCommittee,
    tokens: Tensor,
    rows: Ints,
    targets: Float32s,
    recipe: Recipe,
    keep: StepCallback,
    seed: int,
    accelerator: str = "auto",
) -> None:
    """Train on targets of every text, for `recipe.study_steps` steps at most.

    Args:
        model: M members.
        tokens: (N, T) uint16 of the whole corpus.
        rows: (M, v) int64 texts of a pass, for each member its own.
        targets: (M, v, C) float32, see `assign`.
        recipe: steps, batch size and losses.
        keep: decides which weights the model ends with.
        seed: of shuffles, dropped units and dropped words.
        accelerator: Lightning's.
    """
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    batches = SoftBatches(
        tokens, rows, targets, recipe.study_batch, recipe.study_steps, rng, by_length=model.net.masked
    )
    fit(plain_trainer(accelerator, keep), Student(model, recipe), batches)


class Student(L.LightningModule):
    """A committee that learns from soft targets.

    Args:
        model: M members; they are what is trained.
        recipe: word dropout and the weights of the losses that need no target.
    """

    def __init__(self, model: LitCommittee, recipe: Recipe) -> None:
        super().__init__()
        self.model, self.recipe = model, recipe

    def training_step(self, batch: tuple[Tensor, Tensor], batch_index: int) -> Tensor:
        """The sum of the members' losses on tokens (M, B, T) and targets (M, B, C)."""
        tokens, targets = batch
        tokens = self.words.take(drop_words(tokens, self.recipe.word_dropout))
        logits = self.model.net(tokens, self.words.rows)
        loss = -(targets * log_probabilities(logits)).sum(dim=-1).mean(dim=1).sum()
        if self.recipe.entropy:
            loss = loss + self.recipe.entropy * entropy(logits).mean(dim=1).sum()
        if self.recipe.adversarial:
            loss = loss + self.recipe.adversarial * virtual_adversarial_loss(self.model.net, self.words.rows, tokens)
        return loss

    @cached_property
    def words(self) -> WordRows:
        """The rows of the embedding table that a step is about, on the device that the model is on by then."""
        return WordRows(self.model.net.table)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """That of the committee, which moves of its words those at hand."""
        others = [weight for weight in self.model.net.weights if weight is not self.model.net.table]
        return RowwiseRMSprop(others, self.words, self.model.hparams["learning_rate"])


@dataclass
class SoftBatches:
    """Batches of tokens (M, B, T) and targets (M, B, C), passes over the rows, each in an order of its own.

    Attributes:
        tokens: (N, T) uint16.
        rows: (M, v) int64.
        targets: (M, v, C) float32.
        size: B.
        steps: batches in all.
        rng: draws the order.
        by_length: texts of like length side by side, cut after the longest, for a network that leaves padding out.
    """

    tokens: Tensor
    rows: Ints
    targets: Float32s
    size: int
    steps: int
    rng: np.random.Generator
    by_length: bool = False

    def __post_init__(self) -> None:
        self.size = min(self.size, self.rows.shape[1])
        self.lengths = lengths_of(self.tokens, torch.from_numpy(self.rows))  # (M, v)

    def _pass(self) -> Ints:
        """Places (M, n) in `rows` of one pass in whole batches; who is left over is left out of this one."""
        members, total = self.lengths.shape
        order = np.stack([self.rng.permutation(total) for _ in range(members)])
        order = order[:, : total - total % self.size]
        if not self.by_length:
            return order
        places = in_windows(np.take_along_axis(self.lengths, order, axis=1), self.size, self.rng)
        return np.take_along_axis(order, places, axis=1)

    def __len__(self) -> int:
        """Number of steps."""
        return self.steps

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        """One after the other; a pass is drawn when it begins, for a fit may end before all its steps."""
        members = np.arange(len(self.rows))[:, None]
        for step in range(self.steps):
            if step % self._in_a_pass == 0:
                order = self._pass()
            first = step % self._in_a_pass * self.size
            places = order[:, first : first + self.size]  # (M, B)
            width = int(self.lengths[members, places].max()) if self.by_length else self.tokens.shape[1]
            yield (
                self.tokens[:, : max(width, 1)][torch.from_numpy(self.rows[members, places])],  # (M, B, width)
                torch.from_numpy(self.targets[members, places]),
            )

    @property
    def _in_a_pass(self) -> int:
        """Batches of one pass."""
        return int(self.rows.shape[1]) // self.size


def drop_words(tokens: Tensor, share: float) -> Tensor:
    """Make a share of the words unknown; padding stays.

    >>> drop_words(torch.tensor([[5, 6, 0]]), 1.0).tolist()
    [[1, 1, 0]]
    """
    if not share:
        return tokens
    dropped = (torch.rand(tokens.shape, device=tokens.device) < share) & (tokens.to(torch.int32) != PADDING)
    return tokens.to(torch.int32).masked_fill(dropped, UNKNOWN)


def log_probabilities(logits: Tensor) -> Tensor:
    """(M, B, C) of logits (M, B) or (M, B, C)."""
    if logits.ndim == 2:
        return torch.stack([F.logsigmoid(-logits), F.logsigmoid(logits)], dim=-1)
    return logits.log_softmax(dim=-1)


def entropy(logits: Tensor) -> Tensor:
    """Entropy of each prediction in nats, (M, B)."""
    logs = log_probabilities(logits)  # (M, B, C)
    return -(logs.exp() * logs).sum(dim=-1)


def virtual_adversarial_loss(net: Any, table: Tensor, tokens: Tensor) -> Tensor:
    """How much the predictions change when the words move against them: divergence in nats, summed over members.

    The words of a batch move in the embedding table, the same word everywhere alike, so that the fast kernel, which
    projects each word once, can be used as it is. The direction is that of one step of power iteration.

    Args:
        net: a `Committee` of M members.
        table: (M, V, E) its word vectors, or those of the tokens' words.
        tokens: (M, B, T) ids in that table.
    """
    vectors = table.detach()  # (M, V, E)
    before = net.training
    net.eval()  # the same units for all three predictions
    try:
        with torch.no_grad():
            expected = log_probabilities(net(tokens, vectors))  # (M, B, C)
        probe = _along(torch.randn_like(vectors), vectors, PROBE).requires_grad_()
        change = _divergence(expected, net(tokens, table + probe))
        [direction] = torch.autograd.grad(change, probe)
        loss = _divergence(expected, net(tokens, table + _along(direction, vectors, STEP)))
    finally:
        net.train(before)
    return loss


def _along(direction: Tensor, table: Tensor, share: float) -> Tensor:
    """(M, V, E) steps in a direction, each of a share of its word's length."""
    steps: Tensor = F.normalize(direction, dim=-1) * table.norm(dim=-1, keepdim=True) * share
    return steps


def _divergence(expected: Tensor, logits: Tensor) -> Tensor:
    """Kullback and Leibler's, mean over texts (B), sum over members, of log-probabilities (M, B, C)."""
    total: Tensor = (expected.exp() * (expected - log_probabilities(logits))).sum(dim=-1).mean(dim=1).sum()
    return total
