"""Judge a model and score texts outside a Trainer.

A Trainer cannot be entered again from its own hooks (its state would be wrong afterwards), so what happens between two
fits is a plain loop. It runs where the model is: a batch from elsewhere is taken there.
"""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lit_al.exceptions import ConfigError
from lit_al.metrics import Evaluation
from lit_al.models.batches import Batches
from lit_al.models.bilstm import BiLSTM
from lit_al.models.classifier import Batch, Classifier
from lit_al.models.ensemble import Committee, LitCommittee
from lit_al.models.lit_bilstm import LitBiLSTM
from lit_al.text.bucketing import lengths_of
from lit_al.typing import Float32s, Ints


@contextmanager
def inference(model: Any) -> Iterator[None]:
    """Dropout off and no gradients inside; the mode of before afterwards."""
    training = model.training
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        model.train(training)


def evaluate(model: Classifier, batches: Batches) -> Evaluation:
    """Loss and confusion of a model on labeled rows."""
    assert batches.labels is not None  # rows without labels judge nobody
    labels = batches.labels[batches.rows.to(batches.labels.device)].cpu().numpy()
    return Evaluation.of(score(model, batches), labels)


def score(model: Classifier | LitCommittee, batches: Batches) -> Float32s:
    """Probability of each class, in the order of the batches.

    Returns:
        (n, C) float32; of a committee (M, n, C).
    """
    if isinstance(model, LitCommittee):
        return _pass(model, batches, {"probabilities"}, 0, 0)["probabilities"]
    [seen] = see(model, batches, {"probabilities"})
    return seen["probabilities"]


def see(
    model: Classifier | LitCommittee,
    batches: Batches,
    needs: Collection[str],
    *,
    draws: int = 10,
    seed: int = 0,
) -> list[dict[str, Float32s]]:
    """What a model makes of texts, in one pass that computes no more than is asked for.

    A draw is one mask of the last layer's dropout for all texts: one model out of many, as the joint entropies of
    `batchbald` need it (Kirsch et al. 2019). The LSTM has no dropout and runs once. The masks come from the seed alone;
    torch's own generator is neither read nor moved.

    Args:
        model: one, or a committee.
        batches: n texts.
        needs: names of `Pool`'s arrays; those that no model gives are passed over.
        draws: K.
        seed: of the masks.

    Returns:
        For each member of the committee, or for the one model, by name and in the order of the batches, all float32:
        `probabilities` (n, C), `embeddings` (n, D), the features before the last layer and its dropout, `draws`
        (K, n, C), probabilities under each mask.

    Raises:
        ConfigError: fewer than one draw; an array that a network of one's own does not give.

    >>> batches = Batches(torch.zeros(7, 10, dtype=torch.int64), None, torch.arange(7), 4)
    >>> [seen] = see(LitBiLSTM(), batches, {"embeddings", "draws"}, draws=3)
    >>> {name: array.shape for name, array in sorted(seen.items())}
    {'draws': (3, 7, 2), 'embeddings': (7, 20)}
    """
    if draws < 1:
        raise ConfigError(f"draws={draws} must be 1 or more, to ask the model under dropout")
    if not isinstance(model, LitBiLSTM | LitCommittee):
        return [_see_any(model, batches, needs)]
    members = model.net.size if isinstance(model, LitCommittee) else 1
    found = _pass(model, batches, needs, draws, seed)
    return [{name: array[member] for name, array in found.items()} for member in range(members)]


def _see_any(model: Classifier, batches: Batches, needs: Collection[str]) -> dict[str, Float32s]:
    """As `see`, of a network of which nothing is known but that it is a `Classifier`."""
    ways: dict[str, Callable[[Batch, int], Tensor]] = {"probabilities": model.predict_step}
    if hasattr(model, "embeddings"):
        ways["embeddings"] = lambda batch, _: model.embeddings(batch[0])
    wanted = set(needs) & {"probabilities", "embeddings", "draws"}
    for name in sorted(wanted - set(ways)):
        raise ConfigError(
            f"the strategy needs {name}, which {type(model).__name__} does not give; take one that needs probabilities "
            "alone, such as margin, or LitBiLSTM"
        )
    found: dict[str, list[Tensor]] = {name: [] for name in wanted}
    with inference(model):
        for index, (inputs, others) in enumerate(batches if wanted else ()):
            batch = inputs.to(model.device), others.to(model.device)
            for name, parts in found.items():
                parts.append(ways[name](batch, index).float().cpu())
    return {name: torch.cat(parts).numpy() for name, parts in found.items()}


def _pass(
    model: LitBiLSTM | LitCommittee, batches: Batches, needs: Collection[str], draws: int, seed: int
) -> dict[str, Float32s]:
    """As `see`, each array with the members in front.

    Memory is that of the result and of one batch: 5 million texts take no more than 5 thousand but for their tokens.
    """
    net, n, classes = model.net, batches.rows.shape[-1], len(model.classes)
    members = net.size if isinstance(net, Committee) else 1
    shapes = {"probabilities": (n, classes), "embeddings": (n, net.width), "draws": (draws, n, classes)}
    found = {name: np.empty((members, *shape), np.float32) for name, shape in shapes.items() if name in needs}
    masks = _masks(net, draws if "draws" in found else 0, seed).to(model.device)
    batches, places = _by_length(batches) if found and _masked(net) else (batches, np.arange(n)[None])
    done = 0
    with inference(model):
        for tokens, _ in batches if found else ():
            here = places[:, done : (done := done + tokens.shape[-2])]  # (1 or M, B)
            features = net.features(tokens.to(model.device))  # (B, D) or (M, B, D)
            for name, array in found.items():
                values = _view(name, model, features, masks).float().cpu().numpy()
                for member, seen in enumerate(values.reshape(members, *values.shape[-array.ndim + 1 :])):
                    array[member][..., here[member % len(here)], :] = seen
    return found


def _masked(net: BiLSTM | Committee) -> bool:
    return net.masked if isinstance(net, Committee) else net.lstm.masked


def _by_length(batches: Batches) -> tuple[Batches, Ints]:
    """The rows sorted by length, and the place (1 or M, n) of each among those that were asked for."""
    places = np.argsort(lengths_of(batches.tokens, batches.rows), axis=-1, kind="stable")  # (n,) or (M, n)
    rows = batches.rows.gather(-1, torch.from_numpy(places).to(batches.rows.device))
    return replace(batches, rows=rows, generator=None), np.atleast_2d(places)


def _masks(net: BiLSTM | Committee, draws: int, seed: int) -> Tensor:
    """What dropout multiplies the features by, (K, D) or (K, M, 1, D) for a committee: 0, or 1 over the share kept."""
    kept = 1 - net.dropout.p
    shape = (draws, net.size, 1, net.width) if isinstance(net, Committee) else (draws, net.width)
    coins = torch.rand(shape, generator=torch.Generator().manual_seed(seed))
    return (coins < kept) / max(kept, torch.finfo(coins.dtype).tiny)


def _view(name: str, model: LitBiLSTM | LitCommittee, features: Tensor, masks: Tensor) -> Tensor:
    """One array of a batch, (..., B, C or D), members in front."""
    if name == "embeddings":
        return features
    if name == "probabilities":
        return model.probabilities(model.net.logits_of(features))
    drawn = [model.probabilities(model.net.logits_of(features * mask)) for mask in masks]  # K of (B, C) or (M, B, C)
    return torch.stack(drawn, dim=-3)  # (K, B, C) or (M, K, B, C)
