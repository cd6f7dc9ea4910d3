"""A fit of a fixed number of steps: members side by side, each with labels of its own, and which weights are kept.

Without validation the weights of the last steps are averaged, which stands in for stopping at the right moment
(Izmailov et al. 2018); with held-out labels those of the lowest loss on them are taken. A student needs as many steps
as its lesson is hard: it stops when it follows its teacher no better on texts held out from it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import lightning as L
import numpy as np
import torch
from torch import Tensor

from lit_al.exceptions import FitError
from lit_al.loop.method import FitRecord
from lit_al.models.batches import EVALUATION_BATCH
from lit_al.models.ensemble import LitCommittee
from lit_al.models.scoring import inference
from lit_al.text.bucketing import WINDOW, in_windows, lengths_of
from lit_al.training.fitting import fit, plain_trainer
from lit_al.typing import Float32s, Ints, Mask, Rows
from lit_al.utils.failpoints import crash_point

SHRINK, NOISE = 0.5, 0.01  # Ash and Adams 2020: old weights halved, noise of this standard deviation added
POINTS = 50  # of the curve of a fit
LOOKS = 10  # times that a fit is judged by its held-out labels
LOOK = 50  # steps after which a student is judged
OFTEN = 5  # steps after which its weights enter their running mean
MEMORY = 0.95  # of that mean, each time: the weights of the last hundred steps or so count
GAIN = 0.05  # share of its distance from the teacher that a student must lose
TINY = 1e-9  # probability below which a class counts as being that likely
PATIENCE = 2  # looks without such a gain, after which it has learned what it can


@dataclass(frozen=True)
class LabeledSet:
    """What a member learns from, or is judged by.

    Attributes:
        rows: (n,) int64 texts.
        answers: (n,) int64 their labels.
        seed: of the shuffles.
    """

    rows: Rows
    answers: Ints
    seed: int = 0

    def take(self, mask: Mask) -> Self:
        """The part of it where the mask (n,) is true."""
        return replace(self, rows=self.rows[mask], answers=self.answers[mask])


class StepCallback(L.Callback):
    """Sees every step of a fit and keeps its loss; a subclass decides which weights the model ends with.

    Attributes:
        losses: of each step, in nats summed over the members.
        samples: texts that the steps took, of all members.
    """

    def __init__(self) -> None:
        self.losses: list[Tensor] = []
        self.samples = 0

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, *_: Any
    ) -> None:
        """Keep the loss of a step; on a GPU nobody waits for it."""
        crash_point("in_fit")
        self.losses.append(outputs["loss"].detach())
        self.samples += batch[0].shape[:-1].numel()

    @property
    def curve(self) -> tuple[float, ...]:
        """Mean losses, in nats summed over the members, of `POINTS` parts of the fit, or of its steps if fewer."""
        if not self.losses:
            return ()
        parts = torch.stack(self.losses).cpu().tensor_split(min(POINTS, len(self.losses)))
        return tuple(float(part.mean()) for part in parts)

    @property
    def record(self) -> FitRecord:
        """What there is to say of the fit."""
        return FitRecord(len(self.losses), self.samples, self.curve)


def train(
    model: LitCommittee,
    tokens: Tensor,
    labeled_sets: Sequence[LabeledSet],
    steps: int,
    batch_size: int,
    keep: StepCallback,
    accelerator: str = "auto",
) -> None:
    """Train each member on its lesson; dropout draws from torch's generator.

    Args:
        model: M members.
        tokens: (N, T) uint16 of the whole corpus.
        labeled_sets: M, one for each member; their lengths may differ.
        steps: of the fit.
        batch_size: B; no more than the shortest lesson has rows.
        keep: decides which weights the model ends with.
        accelerator: Lightning's.

    Raises:
        FitError: a lesson without a row.
    """
    size = min(batch_size, fewest(labeled_sets))
    orders = [_order(len(labeled_set.rows), steps * size, labeled_set.seed) for labeled_set in labeled_sets]
    rows = np.stack(
        [labeled_set.rows[order] for labeled_set, order in zip(labeled_sets, orders, strict=True)]
    )  # (M, steps * B)
    truth = np.stack([labeled_set.answers[order] for labeled_set, order in zip(labeled_sets, orders, strict=True)])
    if model.net.masked:  # windows of one pass at most, so that hardly a text is in one twice
        window = max(1, min(WINDOW, *(len(labeled_set.rows) // size for labeled_set in labeled_sets)))
        lengths = lengths_of(tokens, torch.from_numpy(rows))  # (M, steps * B)
        places = in_windows(lengths, size, np.random.default_rng(labeled_sets[0].seed), window)
        rows, truth = (np.take_along_axis(array, places, axis=1) for array in (rows, truth))
    batches = Steps(tokens, torch.from_numpy(rows), torch.from_numpy(truth), size)
    fit(plain_trainer(accelerator, keep), model, batches)


def fewest(labeled_sets: Sequence[LabeledSet]) -> int:
    """Labels of the shortest lesson.

    Raises:
        FitError: it has none.
    """
    found = min(len(labeled_set.rows) for labeled_set in labeled_sets)
    if found == 0:
        raise FitError(
            "a fit has no label to learn from, for the oracle skipped too many texts; begin with more labels"
        )
    return found


@dataclass
class Steps:
    """Batches of rows in a given order, for each member its own: tokens (M, B, T) and labels (M, B).

    Attributes:
        tokens: (N, T) uint16 of the whole corpus.
        rows: (M, steps * B) int64.
        labels: (M, steps * B) int64.
        size: B.
    """

    tokens: Tensor
    rows: Tensor
    labels: Tensor
    size: int

    def __len__(self) -> int:
        """Number of steps."""
        return self.rows.shape[1] // self.size

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        """One pass."""
        for rows, labels in zip(
            torch.split(self.rows, self.size, 1), torch.split(self.labels, self.size, 1), strict=True
        ):
            yield self.tokens[rows], labels


class AveragedWeights(StepCallback):
    """Give the model, in the end, the mean of its weights over the last steps (Izmailov et al. 2018).

    Args:
        share: of the fit's steps, from the end; 0 leaves the last weights.
    """

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share
        self.count = 0
        self.sums: list[Tensor] = []

    def on_train_batch_end(self, trainer: L.Trainer, pl_module: L.LightningModule, *step_and_more: Any) -> None:
        """Add the weights of a step."""
        super().on_train_batch_end(trainer, pl_module, *step_and_more)
        total = int(trainer.estimated_stepping_batches)
        if trainer.global_step <= total - round(self.share * total):
            return
        weights = [weight.detach() for weight in pl_module.parameters()]
        if not self.count:
            self.sums = [torch.zeros_like(weight) for weight in weights]
        torch._foreach_add_(self.sums, weights)
        self.count += 1

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Take the mean."""
        with torch.no_grad():
            for weight, total in zip(pl_module.parameters(), self.sums, strict=False):
                weight.copy_(total / self.count)


class FollowsBest(StepCallback):
    """Give each member, in the end, the running mean of its weights that came closest to targets of held-out texts.

    A member that has come no closer for `PATIENCE` looks has its weights; the fit ends when all have theirs, or with
    its steps. What a member gets does not depend on the others.

    Args:
        tokens: (N, T) uint16 of the whole corpus.
        rows: (M, h) int64 texts that no member learns from, for each its own.
        targets: (M, h, C) float32 distributions over the classes.
        average: take the running mean of the weights, not the weights themselves.
        teacher: the targets are a teacher's, not true labels.

    Attributes:
        distances: (M,) float64 the least divergence of each member from its targets, in nats.
        agreements: (M,) float64 the share of these texts, then, on which a member gives the target's answer.
    """

    def __init__(
        self, tokens: Tensor, rows: Ints, targets: Float32s, *, average: bool = True, teacher: bool = True
    ) -> None:
        super().__init__()
        self.tokens, self.rows, self.targets = tokens, torch.from_numpy(rows), torch.from_numpy(targets)
        self.memory = MEMORY if average else 0.0
        self.teacher = teacher
        self.distances = torch.full((len(rows),), torch.inf, dtype=torch.float64)
        self.agreements = torch.zeros_like(self.distances)
        self._reference = self.distances.clone()  # (M,) distance from which a gain counts
        self._idle = torch.zeros(len(rows), dtype=torch.int64)  # (M,) looks without a gain
        self._mean: list[Tensor] = []
        self._best: list[Tensor] = []

    def on_train_batch_end(self, trainer: L.Trainer, pl_module: L.LightningModule, *step_and_more: Any) -> None:
        """Take the weights of a step into the mean, and look where it is time."""
        super().on_train_batch_end(trainer, pl_module, *step_and_more)
        step, weights = trainer.global_step, [weight.detach() for weight in pl_module.parameters()]
        if not self._mean:
            self._mean, self._best = ([weight.clone() for weight in weights] for _ in range(2))
        last = step == int(trainer.estimated_stepping_batches)
        if step % OFTEN == 0 or last:
            memory = min(self.memory, 1 - 2 / (-(-step // OFTEN) + 1))  # at first half of the steps so far count
            torch._foreach_lerp_(self._mean, weights, 1 - memory)
        if step % LOOK == 0 or last:
            self._look(pl_module)
            if bool((self._idle >= PATIENCE).all()):
                trainer.should_stop = True

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Take the best."""
        _copy(list(pl_module.parameters()), self._best)

    def _look(self, pl_module: L.LightningModule) -> None:
        """Judge the means, and keep those that are nearer than any before."""
        (found, agreements), waiting = self._judged(pl_module), self._idle < PATIENCE
        nearer = (found < self.distances) & waiting
        gained = (found < (1 - GAIN) * self._reference) & waiting
        for best, mean in zip(self._best, self._mean, strict=True):
            best[nearer] = mean[nearer]
        self.distances = torch.where(nearer, found, self.distances)
        self.agreements = torch.where(nearer, agreements, self.agreements)
        self._reference = torch.where(gained, found, self._reference)
        self._idle = torch.where(gained, 0, self._idle + 1)

    def _judged(self, pl_module: L.LightningModule) -> tuple[Tensor, Tensor]:
        """Of each member's mean, (M,) float64: divergence from its targets, infinite if no number, and agreement."""
        model = _committee(pl_module)
        weights = list(pl_module.parameters())
        own = [weight.detach().clone() for weight in weights]
        total, same = (torch.zeros(len(self.rows), dtype=torch.float64) for _ in range(2))
        with inference(model):
            _copy(weights, self._mean)
            size = max(1, EVALUATION_BATCH // len(self.rows))
            parts = torch.split(self.rows, size, 1), torch.split(self.targets, size, 1)
            for rows, targets in zip(*parts, strict=True):
                found = model.probabilities(model(self.tokens[rows].to(model.device))).cpu()  # (M, B, C)
                total += torch.special.entr(targets).neg().sub(torch.xlogy(targets, found.clamp_min(TINY))).sum((1, 2))
                same += (found.argmax(-1) == targets.argmax(-1)).sum(1)
            _copy(weights, own)
        return (total / self.rows.shape[1]).nan_to_num(nan=torch.inf), same / self.rows.shape[1]

    @property
    def record(self) -> FitRecord:
        """With the agreement, where it is one with a teacher."""
        if not self.teacher:
            return super().record
        return replace(super().record, agreement=float(self.agreements.mean()), held_out=self.rows.shape[1])


def _committee(pl_module: L.LightningModule) -> LitCommittee:
    """The committee that a fit trains: the module itself, or the one that a student has."""
    return next(part for part in pl_module.modules() if isinstance(part, LitCommittee))


def _copy(weights: Sequence[Tensor], others: Sequence[Tensor]) -> None:
    with torch.no_grad():
        for weight, other in zip(weights, others, strict=True):
            weight.copy_(other)


class LowestLoss(StepCallback):
    """Give each member, in the end, its weights of the lowest loss on labels held out from it.

    The loss is looked at ten times, after every tenth of the steps, or after every step where there are fewer.

    Args:
        tokens: (N, T) uint16 of the whole corpus.
        held: held-out labels of each member; their numbers may differ.

    Attributes:
        lowest: (M,) float64 lowest mean loss of each member, in nats.
    """

    def __init__(self, tokens: Tensor, held: Sequence[LabeledSet]) -> None:
        super().__init__()
        self.tokens, self.held = tokens, held
        self.lowest = torch.empty(0)
        self._best: list[Tensor] = []

    def on_train_batch_end(self, trainer: L.Trainer, pl_module: L.LightningModule, *step_and_more: Any) -> None:
        """Look, where it is time, and keep the weights of the members that got better."""
        super().on_train_batch_end(trainer, pl_module, *step_and_more)
        step, total = trainer.global_step, int(trainer.estimated_stepping_batches)
        if step * LOOKS // total == (step - 1) * LOOKS // total:
            return
        model = _committee(pl_module)
        losses, weights = self._look(model), [weight.detach() for weight in model.parameters()]
        if not self._best:
            self.lowest, self._best = torch.full_like(losses, torch.inf), [weight.clone() for weight in weights]
        better = losses <= self.lowest
        for best, weight in zip(self._best, weights, strict=True):
            best[better] = weight[better]
        self.lowest = torch.where(better, losses, self.lowest)

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Take the best."""
        _copy(list(pl_module.parameters()), self._best)

    def _look(self, model: LitCommittee) -> Tensor:
        """Mean loss of each member on its held-out labels, (M,) float64; infinite where it is no number."""
        longest = max(len(labeled_set.rows) for labeled_set in self.held)
        shape = len(self.held), longest
        rows, truth, share = np.zeros(shape, np.int64), np.zeros(shape, np.int64), np.zeros(shape)
        for index, labeled_set in enumerate(self.held):  # shorter ones are filled up with rows that count for nothing
            n = len(labeled_set.rows)
            rows[index, :n], truth[index, :n], share[index, :n] = labeled_set.rows, labeled_set.answers, 1 / max(n, 1)
        sums = torch.zeros(shape[0], dtype=torch.float64)
        with inference(model):
            for start in range(0, longest, size := max(1, EVALUATION_BATCH // shape[0])):
                here = slice(start, start + size)
                logits = model(self.tokens[torch.from_numpy(rows[:, here])].to(model.device))
                losses = model.cross_entropy(logits, torch.from_numpy(truth[:, here]).to(model.device))  # (M, B)
                sums += (losses.cpu() * torch.from_numpy(share[:, here])).sum(dim=1)
        return sums.nan_to_num(nan=torch.inf)


def shrink_and_perturb(model: LitCommittee, seed: int) -> None:
    """Halve the weights and add noise to them (Ash and Adams 2020)."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in model.parameters():
            noise = torch.randn(weight.shape, generator=generator).to(weight.device)
            weight.mul_(SHRINK).add_(noise, alpha=NOISE)


def _order(rows: int, total: int, seed: int) -> Ints:
    """(total,) positions among so many rows: one shuffle after the other, each row once in each."""
    rng = np.random.default_rng(seed)
    return np.concatenate([rng.permutation(rows) for _ in range(-(-total // rows))])[:total]
