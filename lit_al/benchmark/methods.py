"""How a row of a benchmark is spelled: `[HOW/]PICKS`, the way it trains and the strategy that picks.

`entropy` is the lean loop with fresh weights in each round; `warm/entropy` goes on from the weights before;
`lean-teacher/entropy` follows a recipe (`training.recipe`). A row is compared with random picks under the same
training, so that the difference is that of the picks. A new way to train is one line in `TRAININGS`, or a part of a
recipe.
"""

from dataclasses import dataclass
from typing import Literal

from lit_al.exceptions import ConfigError
from lit_al.training.recipe import SPELLING
from lit_al.utils.nearest import did_you_mean

Family = Literal["picks", "training"]
RANDOM = "random"
ENCODER = "encoder-lr"
FULL = "full"  # the yardstick: one fit on the whole pool


@dataclass(frozen=True)
class Training:
    """A way to train.

    Attributes:
        name: what stands before the slash; "" for the lean loop's own.
        loop: `lean`: from a few labels on; `example`: the loop of the Keras example, of the protocol called so too;
            `linear`: logistic regression, spelled NAME[:PICKS]; `whole`: one fit on every label, nothing is picked.
        words: what it does, for a reader.
        weights: that a round of the lean loop begins with.
        alone: the picks that the name by itself stands for; "" where it must be followed by some.
        recipe: of the lean loop.
    """

    name: str
    loop: Literal["lean", "example", "linear", "whole"]
    words: str
    weights: Literal["fresh", "warm", "shrink"] = "fresh"
    alone: str = ""
    recipe: str = "scratch"


TRAININGS: dict[str, Training] = {
    how.name: how
    for how in (
        Training("", "lean", "the lean loop, fresh weights in each round"),
        Training("warm", "lean", "the lean loop, each round from the weights before", weights="warm"),
        Training(
            "shrink", "lean", "the lean loop, each round from those weights shrunk and perturbed", weights="shrink"
        ),
        Training(
            "keras", "example", "the example's loop: true classes of the pool, steers by its test set", alone="ratio"
        ),
        Training("honest", "example", "the same with predicted classes, steered by validation", alone="ratio"),
        Training("tfidf-lr", "linear", "logistic regression on TF-IDF", alone=RANDOM),
        Training("lsa-lr", "linear", "balanced logistic regression on LSA-300", alone=RANDOM),
        Training("chars-lr", "linear", "logistic regression on TF-IDF of characters", alone=RANDOM),
        Training(ENCODER, "linear", "logistic regression on the vectors of --encoder or --embeddings", alone=RANDOM),
        Training(FULL, "whole", "one fit on every label of the pool"),
    )
}


def _how(name: str) -> Training | None:
    """The way to train of a name, a recipe's spelling included."""
    if SPELLING.fullmatch(name):
        return Training(name, "lean", f"the lean loop by the recipe {name}", recipe=name)
    return TRAININGS.get(name)


@dataclass(frozen=True)
class Method:
    """A row of a benchmark.

    Attributes:
        how: it trains.
        picks: spelling of a strategy; "" where nothing is picked.

    >>> row = Method.of("warm/entropy+balanced")
    >>> row.how.weights, row.picks, row.reference
    ('warm', 'entropy+balanced', 'warm/random')
    >>> [Method.of(text).spelling for text in ("keras", "tfidf-lr:random", "margin")]
    ['keras/ratio', 'tfidf-lr', 'margin']
    """

    how: Training
    picks: str

    @classmethod
    def of(cls, text: str) -> "Method":
        """The row of a spelling; whether there is a strategy of that name is not checked.

        Raises:
            ConfigError: no such way to train, or no picks where there must be some.
        """
        name, slash, picks = text.partition("/")
        if not slash:
            name, colon, picks = text.partition(":")
            how = _how(name)
            if how is None or not name:
                return cls(TRAININGS[""], text)
            if colon and how.loop != "linear":
                raise ConfigError(f"row {text!r} cannot be; write {how.name}{_as_in(how)}")
            picks = picks or how.alone
        how = _how(name)
        if how is None or (slash and (not name or how.loop in ("linear", "whole"))):
            ways = [how.name for how in TRAININGS.values() if how.name and how.loop in ("lean", "example")]
            raise ConfigError(
                f"row {text!r} trains in no known way; {did_you_mean(name, ways)}before a slash stands one of "
                f"{', '.join(ways)}, or a recipe as in lean-teacher"
            )
        if not picks and how.loop != "whole":
            raise ConfigError(f"row {text!r} does not say what picks; write {how.name}{_as_in(how)}")
        return cls(how, picks)

    @property
    def spelling(self) -> str:
        """The one under which its cells stand in the table."""
        name = self.how.name
        if self.how.loop == "linear":
            return name if self.picks == RANDOM else f"{name}:{self.picks}"
        return "/".join(part for part in (name, self.picks) if part)

    @property
    def reference(self) -> str | None:
        """The row that it is compared with; None where there is none, as for another model."""
        if self.how.loop == "whole":
            return None
        if self.picks != RANDOM:  # random picks are not steered, so both protocols of the example share theirs
            return Method(TRAININGS["keras"] if self.how.loop == "example" else self.how, RANDOM).spelling
        return RANDOM if self.how.loop == "lean" and self.how.name else None

    @property
    def family(self) -> Family:
        """What the comparison is about: random picks are compared by how they train, all others by how they pick."""
        return "training" if self.picks == RANDOM else "picks"


def _as_in(how: Training) -> str:
    return "" if how.loop == "whole" else f"/{how.alone or RANDOM}"
