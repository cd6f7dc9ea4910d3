"""Recipes: how a round of the lean loop trains, part by part.

`scratch` learns from the labels alone. `lean` is the best combination measured (docs/findings.md); `lean-teacher` is
the same without the teacher, `scratch+vectors` the labels alone but with word vectors, and so on.

| part | what it does | needs |
|---|---|---|
| `vectors` | the embedding begins with word vectors of the pool | the pool's texts |
| `pretrain` | embedding and LSTM begin as trained to tell the latent directions of each text | the pool's texts |
| `teacher` | linear models of the whole text label the pool softly; the network learns from it all | some labels |
| `adversarial` | predictions stay when words move against them | the pool's texts |
| `entropy` | the network is asked to be sure of each text, from 500 labels on | the pool's texts |
| `wide` | the dense layer has 128 units, not 20 | |
| `word-dropout` | a share of the words is made unknown in every step | |
| `average` | the weights of the last steps are averaged | |
"""

import re
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, Self

from lit_al.exceptions import ConfigError
from lit_al.utils.nearest import did_you_mean

MEETINGS: Final = 16  # passes over the labels that a fit on all texts makes at least
BLIND_STEPS: Final = 350  # of a student, where nothing tells when it has learned enough
CERTAIN: Final = 500  # labels; a model of fewer would be made sure of its errors

Weights = Literal["fresh", "warm", "shrink"]
ClassWeight = Literal["balanced", "none"]


@dataclass(frozen=True)
class Recipe:
    """How each round trains and asks.

    Attributes:
        steps: training steps of a fit on labels alone.
        batch_size: B of such a fit; no more than the labels there are.
        learning_rate: of RMSprop; None takes that of what is learned from, see `rate`.
        weights: a round begins with fresh weights, with the previous ones, or with those shrunk and perturbed.
        average: share of the steps, at the end, whose weights are averaged; 0 takes the last weights.
        validation: a spelling for `make_validation`.
        committee_size: K members, for strategies that ask a committee.
        draws: K dropout draws, for strategies that ask for them.
        guard: choose at random while the model answers nearly one class.
        masked: padding has no state.
        vectors: the embedding begins with word vectors.
        pretrain: embedding and LSTM begin pretrained.
        teacher: learn from the teacher's soft labels of all texts.
        class_weight: of the teacher's labels: `balanced`, each class weighs the same, or `none`, each label does.
        wide: a dense layer that can tell many classes apart.
        study_steps: training steps of a fit on all texts, or as many as meet every label sixteen times; with a teacher
            at most, for a student that follows it stops.
        study_batch: B of such a fit.
        word_dropout: share of words made unknown, in a fit on all texts.
        adversarial: weight of virtual adversarial training; above 0 a fit learns from all texts.
        entropy: weight of entropy minimization, likewise.
    """

    steps: int = 200
    batch_size: int = 64
    learning_rate: float | None = None
    weights: Weights = "fresh"
    average: float = 0.5
    validation: str = "none"
    committee_size: int = 5
    draws: int = 10
    guard: bool = True
    masked: bool = False
    vectors: bool = False
    pretrain: bool = False
    teacher: bool = False
    class_weight: ClassWeight = "balanced"
    wide: bool = False
    study_steps: int = 2_000
    study_batch: int = 128
    word_dropout: float = 0.0
    adversarial: float = 0.0
    entropy: float = 0.0

    @property
    def rate(self) -> float:
        """Learning rate: soft labels of all texts are a surer guide than a few labels, and can be followed faster."""
        if self.learning_rate is not None:
            return self.learning_rate
        return 6e-3 if self.teacher else 1e-3

    @property
    def dense_size(self) -> int:
        """Units of the dense layer; of twenty, half of them silenced, few are left to tell 77 classes apart."""
        return 128 if self.wide else 20

    @property
    def studies(self) -> bool:
        """A fit learns from all texts, not from the labeled ones alone."""
        return self.teacher or self.adversarial > 0 or self.entropy > 0

    def for_labels(self, labels: int) -> Self:
        """The same for so many labels: many of them are worth more steps, few of them no certainty.

        >>> Recipe(entropy=0.1).for_labels(400).entropy, Recipe().for_labels(40_000).study_steps
        (0.0, 5000)
        """
        steps = max(self.study_steps, MEETINGS * labels // self.study_batch)
        return replace(self, study_steps=steps, entropy=self.entropy if labels >= CERTAIN else 0.0)

    def without_looking(self, labels: int) -> Self:
        """The same where no text is left that could tell when a student follows its teacher."""
        return replace(self, study_steps=min(self.study_steps, max(BLIND_STEPS, MEETINGS * labels // self.study_batch)))


PARTS: Final[dict[str, dict[str, Any]]] = {
    "vectors": {"vectors": True},
    "pretrain": {"pretrain": True},
    "teacher": {"teacher": True},
    "wide": {"wide": True},
    "adversarial": {"adversarial": 1.0},
    "entropy": {"entropy": 0.1},
    "word-dropout": {"word_dropout": 0.1},
    "average": {"average": 0.5},
}
SCRATCH: Final = ("average",)
LEAN: Final = ("vectors", "teacher", "wide", "word-dropout", "average")
NAMES: Final = {"scratch": SCRATCH, "lean": LEAN}
SPELLING: Final = re.compile(r"(?P<name>scratch|lean)(?P<changes>([+-](" + "|".join(PARTS) + "))*)")


def make_recipe(text: str, base: Recipe | None = None) -> Recipe:
    """The recipe of a spelling.

    Args:
        text: `scratch` or `lean`, then `+part` or `-part` as often as wanted.
        base: its other settings; None takes the defaults.

    Raises:
        ConfigError: no such recipe or part.

    >>> recipe = make_recipe("lean-vectors")
    >>> recipe.teacher, recipe.vectors, recipe.word_dropout
    (True, False, 0.1)
    """
    found = SPELLING.fullmatch(text)
    if found is None:
        words = [re.split("[+-]", text)[0], *re.findall(r"[+-]([a-z]+(?:-dropout)?)", text)]
        wrong = next((word for word in words if word not in NAMES and word not in PARTS), text)
        raise ConfigError(
            f"recipe {text!r} is not one of scratch and lean, with or without parts as in lean-teacher+word-dropout; "
            f"{did_you_mean(wrong, [*NAMES, *PARTS])}the parts are {', '.join(PARTS)}"
        )
    parts = set(NAMES[found["name"]])
    for sign, part in re.findall(r"([+-])(" + "|".join(PARTS) + ")", found["changes"]):
        parts = parts | {part} if sign == "+" else parts - {part}
    off = {name: type(value)(0) for settings in PARTS.values() for name, value in settings.items()}
    on = {name: value for part in parts for name, value in PARTS[part].items()}
    return replace(base or Recipe(), **{**off, **on})
