"""`TextTeacher`: a teacher that is delivered itself, to read texts with: linear models of the whole text, side by side.

It needs no network and no encoder of words, but all terms that its views are made of, and the table of their latent
directions: hundreds of megabytes where the terms are many. Its checkpoint is one of torch's like a network's: numbers,
words and names, of which nothing is executed.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn

from lit_al.models.classifier import Batch
from lit_al.text.tfidf import DIRECTIONS, KINDS, MOST, Reader
from lit_al.typing import Float32s, Float64s

KIND: Final = "teacher"  # `kind` among the settings of such a checkpoint


class TextTeacher(nn.Module):
    """A `Classifier` that reads texts itself.

    Args:
        classes: C names.
        terms: by kind of term (`text.tfidf.KINDS`) its F terms, in the order of their columns.
        directions: by kind, D.

    >>> TextTeacher(("a", "b"), {"words": ["film", "dull"]}, {"words": 1}).read(["a dull film"]).shape
    (1, 2)
    """

    def __init__(
        self, classes: Sequence[str], terms: Mapping[str, Sequence[str]], directions: Mapping[str, int]
    ) -> None:
        super().__init__()
        self.classes = tuple(classes)
        self.terms, self.directions = {kind: list(words) for kind, words in terms.items()}, dict(directions)
        self.bias = nn.Parameter(torch.zeros(len(classes)), requires_grad=False)
        self.parts = nn.ModuleDict(
            {kind: _Part(len(words), directions[kind], len(classes)) for kind, words in self.terms.items()}
        )
        self._readers: dict[str, Reader] = {}
        self.eval()

    @property
    def device(self) -> torch.device:
        """Texts are read where words are."""
        return self.bias.device

    def checkpoint(self) -> dict[str, Any]:
        """What its file holds, as one of a network: tensors and plain types."""
        settings = {"kind": KIND, "classes": list(self.classes), "terms": self.terms, "directions": self.directions}
        return {"state_dict": self.state_dict(), "hyper_parameters": settings}

    @staticmethod
    def checked(settings: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments among the settings of a checkpoint, each of its type.

        Raises:
            ValueError: they are not.
        """
        classes, terms, directions = (settings.get(name) for name in ("classes", "terms", "directions"))
        named = isinstance(classes, list) and all(isinstance(name, str) for name in classes)
        if not named or not isinstance(terms, dict) or not isinstance(directions, dict):
            raise ValueError("it is a teacher without classes or terms")
        if not set(KINDS) >= set(terms) or set(terms) != set(directions):
            raise ValueError("its terms are of no known kind")
        for kind, words in terms.items():
            plain = isinstance(words, list) and all(isinstance(word, str) for word in words)
            if not plain or not 1 <= len(set(words)) == len(words) <= MOST:
                raise ValueError(f"its {kind} are no list of different terms")
            if type(directions[kind]) is not int or not 1 <= directions[kind] <= DIRECTIONS:
                raise ValueError(f"its {kind} have no number of directions")
        return {"classes": classes, "terms": terms, "directions": directions}

    def predict_step(self, batch: Batch, batch_index: int) -> Tensor:
        """It reads texts, not numbers that stand for them."""
        raise NotImplementedError("a delivered teacher reads texts; ask it with read(texts)")

    def read(self, texts: Sequence[str]) -> Float32s:
        """(n, C) float32 probability of each class of each text."""
        from scipy.special import softmax  # which a network is read without

        found: Float32s = softmax(self.logits(texts), axis=1).astype(np.float32)
        return found

    def logits(self, texts: Sequence[str]) -> Float64s:
        """(n, C), the sum of the views'."""
        total = np.tile(self.bias.numpy().astype(np.float64), (len(texts), 1))
        for kind, part in self.parts.items():
            assert isinstance(part, _Part)  # as made above
            if kind not in self._readers:
                axes = part.axes.float().numpy()
                self._readers[kind] = Reader(KINDS[kind], self.terms[kind], part.rarity.numpy(), axes)
            terms, directions = self._readers[kind].read(texts)  # (n, F) sparse, (n, D)
            total += terms @ part.of_terms.numpy() + directions @ part.of_directions.numpy()
        return total


class _Part(nn.Module):
    """The numbers of a kind of terms: of its directions and of itself."""

    rarity: nn.Parameter
    axes: nn.Parameter
    of_terms: nn.Parameter
    of_directions: nn.Parameter

    def __init__(self, terms: int, directions: int, classes: int) -> None:
        super().__init__()
        sizes = {
            "rarity": (terms,),
            "axes": (terms, directions),
            "of_terms": (terms, classes),
            "of_directions": (directions, classes),
        }
        for name, size in sizes.items():
            kind = torch.float16 if name == "axes" else torch.float32
            setattr(self, name, nn.Parameter(torch.zeros(size, dtype=kind), requires_grad=False))


def teacher_of(
    classes: Sequence[str], readers: Mapping[str, Reader], views: Sequence[tuple[Float32s, Float64s]]
) -> TextTeacher:
    """A teacher to deliver.

    Args:
        classes: C names.
        readers: by kind of terms.
        views: of each kind two, as `text.tfidf.Features` has them: weights (D, C) and bias (C,) of the directions, then
            weights (F, C) and bias of the terms, all of them times the view's share.
    """
    made = TextTeacher(
        classes,
        {kind: reader.terms for kind, reader in readers.items()},
        {kind: reader.axes.shape[1] for kind, reader in readers.items()},
    )
    pairs = zip(views[::2], views[1::2], strict=True)
    for (kind, reader), (directions, terms) in zip(readers.items(), pairs, strict=True):
        part = made.parts[kind]
        assert isinstance(part, _Part)  # as made above
        part.rarity.copy_(torch.from_numpy(reader.rarity))
        part.axes.copy_(torch.from_numpy(reader.axes))
        part.of_directions.copy_(torch.from_numpy(directions[0]))
        part.of_terms.copy_(torch.from_numpy(terms[0]))
        made.bias.add_(torch.from_numpy(directions[1] + terms[1]).float())
    return made
