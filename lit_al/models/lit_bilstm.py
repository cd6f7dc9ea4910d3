"""`LitBiLSTM`: the network as a LightningModule, with loss, metrics and optimizer; it knows nothing of the loop."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Self

import lightning as L
import torch
from huggingface_hub import ModelHubMixin
from torch import Tensor, nn
from torch.nn import functional as F
from torchmetrics import Accuracy, ConfusionMatrix, MeanMetric, Metric

from lit_al.metrics import Confusion, Evaluation
from lit_al.models.bilstm import BiLSTM, probabilities_of
from lit_al.models.checkpoint import built
from lit_al.models.classifier import Batch
from lit_al.models.model_folder import asking_hub, config_of, downloaded, read_model, write_model
from lit_al.text.encoder import TextEncoder

_CARD: Final = """---
{{ card_data }}
---

# A text classifier of lit_al

```python
from lit_al import LitBiLSTM, classify

model = LitBiLSTM.from_pretrained("…")  # this folder, or its name on the hub
print(next(classify(model, ["a text"])))
```

`lit-al export-model` writes such a folder with an ONNX model and a card that says how good it is.
"""


class LitBiLSTM(
    L.LightningModule,
    ModelHubMixin,
    library_name="lit_al",
    pipeline_tag="text-classification",
    tags=["active-learning"],
    model_card_template=_CARD,
):
    """The text classifier of the Keras example; without arguments exactly that model, 426,537 parameters.

    `save_pretrained(folder)`, `from_pretrained(folder_or_name)` and `push_to_hub(name)` are those of `huggingface_hub`;
    `lit_al.models.model_folder` says which files they write and read.

    Args:
        classes: C names; two classes share one sigmoid, more take a softmax.
        encoder: `TextEncoder.state_dict()`, carried in the checkpoint so that it can read new texts by itself.
        vocabulary_size: V; an encoder's own size comes first.
        embedding_size: E, size of a word vector.
        hidden_size: H, LSTM units per direction.
        dense_size: units of the dense layer.
        dropout: share of dense units silenced in training.
        learning_rate: of RMSprop.
        kernel: which implementation runs the LSTM; see `lit_al.models.kernels`.
        masked: padding has no state, so that a text's logits depend on its words alone.

    >>> sum(parameter.numel() for parameter in LitBiLSTM().parameters())
    426537
    """

    def __init__(
        self,
        classes: Sequence[str] = ("negative", "positive"),
        encoder: Mapping[str, Any] | None = None,
        vocabulary_size: int = 3_000,
        embedding_size: int = 128,
        hidden_size: int = 32,
        dense_size: int = 20,
        dropout: float = 0.5,
        learning_rate: float = 1e-3,
        kernel: str = "auto",
        masked: bool = False,
    ) -> None:
        super().__init__()
        classes = list(classes)  # a checkpoint read with weights_only=True holds plain types
        self.save_hyperparameters(logger=False)
        self.classes = tuple(classes)
        self.encoder = TextEncoder.from_state_dict(encoder) if encoder is not None else None
        words = len(self.encoder.vocabulary) if self.encoder else vocabulary_size
        self.net = BiLSTM(words, len(classes), embedding_size, hidden_size, dense_size, dropout, kernel, masked)
        self.metrics = nn.ModuleDict({stage: _metrics(len(classes), stage) for stage in ("fit", "val", "test")})

    def forward(self, tokens: Tensor) -> Tensor:
        """Logits, (B,) for two classes, else (B, C), of tokens (B, T)."""
        logits: Tensor = self.net(tokens)
        return logits

    def loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Mean cross-entropy in nats, a scalar, of logits (B,) or (B, C) and labels (B,)."""
        if logits.ndim == 1:
            return F.binary_cross_entropy_with_logits(logits, labels.to(logits.dtype))
        return F.cross_entropy(logits, labels)

    @staticmethod
    def predicted(logits: Tensor) -> Tensor:
        """Class of each text, (B,) int64: where two compete, class 1 needs a probability above 0.5."""
        return (logits > 0).long() if logits.ndim == 1 else logits.argmax(dim=-1)

    @staticmethod
    def probabilities(logits: Tensor) -> Tensor:
        """Probability of each class, (B, C)."""
        return probabilities_of(logits)

    def training_step(self, batch: Batch, batch_index: int) -> Tensor:
        """Loss of a batch; metrics are only counted here and logged once an epoch."""
        return self._count("fit", batch)

    def validation_step(self, batch: Batch, batch_index: int) -> None:
        """Count a batch for `val_loss`, `val_accuracy`, `val_false_negatives`, `val_false_positives`."""
        self._count("val", batch)

    def test_step(self, batch: Batch, batch_index: int) -> None:
        """Count a batch for `test_loss`, `test_accuracy`, `test_false_negatives`, `test_false_positives`."""
        self._count("test", batch)

    def predict_step(self, batch: Batch, batch_index: int) -> Tensor:
        """Probability of each class, (B, C)."""
        return self.probabilities(self(batch[0]))

    def on_train_epoch_end(self) -> None:
        """Log loss and accuracy of the epoch, both measured with dropout while the weights moved, as in Keras."""
        for name, value in self._take("fit").items():
            self.log(name, value, prog_bar=True)

    def on_validation_epoch_end(self) -> None:
        """Log the validation metrics."""
        self._log_evaluation("val")

    def on_test_epoch_end(self) -> None:
        """Log the test metrics."""
        self._log_evaluation("test")

    def configure_optimizers(self) -> torch.optim.RMSprop:
        """RMSprop with Keras's settings."""
        return rms_prop(self.parameters(), self.hparams["learning_rate"])

    def _save_pretrained(self, save_directory: Path) -> None:
        write_model(save_directory, config_of(self.hparams, self.encoder), self.state_dict(), self.encoder)

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path: str | Path, **place: Any) -> Self:
        """The model of a folder, of the hub, or of the hub's cache.

        Args:
            pretrained_model_name_or_path: a folder, or a name in the hub.
            place: `revision`, `cache_dir`, `token`, `local_files_only` and `force_download`, as of `huggingface_hub`;
                arguments of this class go before the model's own.

        Raises:
            CheckpointError: there is none, it cannot be had now, or it is damaged.
        """
        with asking_hub(pretrained_model_name_or_path, place) as place:
            return super().from_pretrained(pretrained_model_name_or_path, **place)

    @classmethod
    def _from_pretrained(
        cls,
        *,
        model_id: str,
        revision: str | None,
        cache_dir: str | Path | None,
        force_download: bool,
        local_files_only: bool,
        token: str | bool | None,
        **settings: Any,
    ) -> Self:
        place: dict[str, Any] = {"revision": revision, "cache_dir": cache_dir, "token": token}
        place |= {"force_download": force_download, "local_files_only": local_files_only}
        folder = Path(model_id) if Path(model_id).is_dir() else downloaded(model_id, **place)
        found, weights = read_model(folder)
        return built({**found, **settings}, weights, folder, cls)

    def _count(self, stage: str, batch: Batch) -> Tensor:
        tokens, labels = batch
        logits = self(tokens)
        loss = self.loss(logits, labels)
        metrics = dict(_items(self.metrics[stage]))
        # one value a row, so that batches count by their size: this metric takes no weights when NaN may pass
        metrics.pop("loss").update(loss.detach().expand(len(labels)))
        for metric in metrics.values():
            metric.update(self.predicted(logits.detach()), labels)
        return loss

    def training_metrics(self) -> dict[str, float]:
        """`loss` and `accuracy` over the training batches of the epoch so far."""
        return {name: float(metric.compute()) for name, metric in _items(self.metrics["fit"])}

    def take_evaluation(self, stage: str) -> Evaluation:
        """What has been counted for a stage (`"val"` or `"test"`) since the last call."""
        values = self._take(stage)
        return Evaluation(float(values["loss"]), Confusion(values["confusion"].cpu().numpy()))

    def _take(self, stage: str) -> dict[str, Tensor]:
        values = {}
        for name, metric in _items(self.metrics[stage]):
            values[name] = metric.compute()
            metric.reset()
        return values

    def _log_evaluation(self, stage: str) -> None:
        found = self.take_evaluation(stage)
        self.log(f"{stage}_loss", found.loss, prog_bar=True)
        self.log(f"{stage}_accuracy", found.accuracy, prog_bar=True)
        self.log(f"{stage}_false_negatives", float(found.confusion.false_negatives))
        self.log(f"{stage}_false_positives", float(found.confusion.false_positives))


def rms_prop(parameters: Iterable[nn.Parameter], learning_rate: float) -> torch.optim.RMSprop:
    """RMSprop with Keras's settings (rho is torch's alpha)."""
    return torch.optim.RMSprop(parameters, lr=learning_rate, alpha=0.9, eps=1e-7)


def _metrics(classes: int, stage: str) -> nn.ModuleDict:
    """Training needs no confusion; elsewhere its matrix gives accuracy, false negatives and false positives at once."""
    loss = MeanMetric(nan_strategy="disable")  # a loss that is NaN must show, not be left out of the mean
    if stage == "fit":
        return nn.ModuleDict({"loss": loss, "accuracy": Accuracy("multiclass", num_classes=classes)})
    return nn.ModuleDict({"loss": loss, "confusion": ConfusionMatrix("multiclass", num_classes=classes)})


def _items(metrics: nn.Module) -> list[tuple[str, Metric]]:
    return [(name, metric) for name, metric in metrics.named_children() if isinstance(metric, Metric)]
