"""Committees, and seeds side by side: M networks of one shape, trained and asked in one batched pass.

The members share nothing but their batch: no weight, no dropout mask. The loss is the sum of theirs, so each gets the
gradient that it would get alone, and an optimizer that treats every number by itself, such as RMSprop, moves each as it
would move alone. On a CPU M members cost no more than M times one; on a GPU they ride in the same launches.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import lightning as L
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lit_al.exceptions import ConfigError
from lit_al.models.bilstm import BiLSTM
from lit_al.models.classifier import Batch
from lit_al.models.kernels import pooled_states
from lit_al.models.lit_bilstm import LitBiLSTM, rms_prop
from lit_al.text.encoder import TextEncoder

TABLE: Final = "embedding.weight"  # name of the word vectors among a network's weights


class Committee(nn.Module):
    """M networks of one shape as one: every weight has the members in front.

    Args:
        members: the networks; their weights are copied.

    Attributes:
        size: M.
        width: numbers in the features of a text.

    >>> committee = Committee([BiLSTM(50), BiLSTM(50)])
    >>> committee(torch.zeros(7, 10, dtype=torch.int64)).shape
    torch.Size([2, 7])
    """

    def __init__(self, members: Sequence[BiLSTM]) -> None:
        super().__init__()
        if not members:
            raise ConfigError("a committee needs a member or more, but got none")
        states = [member.state_dict() for member in members]
        if any({name: w.shape for name, w in s.items()} != {name: w.shape for name, w in states[0].items()}
               for s in states):  # fmt: skip
            raise ConfigError("the members of a committee must have weights of one shape; build them with equal sizes")
        if len({member.lstm.masked for member in members}) > 1:
            raise ConfigError("some members of the committee are masked and others are not; build them alike")
        self.names = list(states[0])
        self.weights = nn.ParameterList([torch.stack([state[name] for state in states]) for name in self.names])
        self.dropout = nn.Dropout(members[0].dropout.p)
        self.kernel, self.masked = members[0].lstm.kernel, members[0].lstm.masked
        self.size = len(members)
        self.width = members[0].width

    @property
    def table(self) -> nn.Parameter:
        """(M, V, E) the members' word vectors."""
        table: nn.Parameter = self.weights[self.names.index(TABLE)]
        return table

    def forward(self, tokens: Tensor, table: Tensor | None = None) -> Tensor:
        """Logits of the texts, by each member.

        Args:
            tokens: (B, T) word ids for all members, or (M, B, T) for each its own; any integer type.
            table: (M, W, E) word vectors instead of its own.

        Returns:
            (M, B) for two classes, else (M, B, C).
        """
        return self.logits_of(self.dropout(self.features(tokens, table)))

    def features(self, tokens: Tensor, table: Tensor | None = None) -> Tensor:
        """(M, B, dense), what the last layers see, before dropout."""
        w = self._named()
        lstm = (w[f"lstm.{name}"] for name in ("input_kernel", "bias", "recurrent_kernel"))
        pooled = pooled_states(  # (M, B, 2H)
            tokens, w[TABLE] if table is None else table, *lstm, kernel=self.kernel, masked=self.masked
        )
        return torch.relu(_linear(pooled, w["dense.weight"], w["dense.bias"]))

    def logits_of(self, features: Tensor) -> Tensor:
        """The last layers: (M, B) or (M, B, C) of features (M, B, dense)."""
        w = self._named()
        logits = _linear(features, w["head.weight"], w["head.bias"])  # (M, B, 1) or (M, B, C)
        return logits.squeeze(-1) if logits.shape[-1] == 1 else logits

    def _named(self) -> dict[str, Tensor]:
        return dict(zip(self.names, self.weights, strict=True))

    def weights_of(self, member: int) -> dict[str, Tensor]:
        """The weights of one member under the names of `BiLSTM`, as copies: `BiLSTM.load_state_dict` takes them."""
        return {name: weight[member].detach().clone() for name, weight in zip(self.names, self.weights, strict=True)}


def _linear(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """A dense layer for each member: x (M, B, I), weight (M, O, I), bias (M, O), result (M, B, O)."""
    return torch.baddbmm(bias[:, None], x, weight.transpose(1, 2))


class LitCommittee(L.LightningModule):
    """`LitBiLSTM` M times over, side by side.

    Args:
        seeds: one for each member: it begins with the weights that `LitBiLSTM` draws after `seed_everything(seed)`.
        classes: C names.
        settings: the others of `LitBiLSTM`.

    A batch may hold tokens (B, T) and labels (B,) for all members, or (M, B, T) and (M, B) for each its own.
    """

    def __init__(
        self, seeds: Iterable[int], classes: Sequence[str] = ("negative", "positive"), **settings: Any
    ) -> None:
        super().__init__()
        seeds = list(seeds)
        members = [_seeded(seed, classes=classes, **settings) for seed in seeds]
        self.net = Committee([member.net for member in members])
        self.classes, self.encoder = members[0].classes, members[0].encoder
        self.save_hyperparameters({"seeds": seeds, **members[0].hparams}, logger=False)

    def forward(self, tokens: Tensor) -> Tensor:
        """Logits, (M, B) for two classes, else (M, B, C)."""
        logits: Tensor = self.net(tokens)
        return logits

    def member(self, index: int, encoder: TextEncoder | None = None) -> LitBiLSTM:
        """One network by itself, with a copy of its weights.

        Args:
            index: below M.
            encoder: the one to carry where the committee has none, so that a checkpoint can read new texts.
        """
        settings = {name: value for name, value in self.hparams.items() if name != "seeds"}
        if encoder is not None:
            settings["encoder"] = encoder.state_dict()
        with torch.random.fork_rng(devices=[]):  # the weights that it begins with are not kept
            alone = LitBiLSTM(**settings)
        alone.net.load_state_dict(self.net.weights_of(index))
        return alone.to(self.device)

    @staticmethod
    def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
        """Cross-entropy in nats, (M, B), of logits (M, B) or (M, B, C) and labels (B,) or (M, B)."""
        labels = labels.expand(logits.shape[:2])
        if logits.ndim == 2:
            return F.binary_cross_entropy_with_logits(logits, labels.to(logits.dtype), reduction="none")
        return F.cross_entropy(logits.transpose(1, 2), labels, reduction="none")

    @staticmethod
    def probabilities(logits: Tensor) -> Tensor:
        """Probability of each class by each member, (M, B, C)."""
        if logits.ndim == 2:
            return torch.stack([torch.sigmoid(-logits), torch.sigmoid(logits)], dim=-1)
        return logits.softmax(dim=-1)

    def training_step(self, batch: Batch, batch_index: int) -> Tensor:
        """The sum of the members' mean losses."""
        tokens, labels = batch
        return self.cross_entropy(self(tokens), labels).mean(dim=1).sum()

    def predict_step(self, batch: Batch, batch_index: int) -> Tensor:
        """Probability of each class by each member, (M, B, C)."""
        return self.probabilities(self(batch[0]))

    def configure_optimizers(self) -> torch.optim.RMSprop:
        """That of `LitBiLSTM`."""
        return rms_prop(self.parameters(), self.hparams["learning_rate"])


def _seeded(seed: int, **settings: Any) -> LitBiLSTM:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return LitBiLSTM(**settings)
