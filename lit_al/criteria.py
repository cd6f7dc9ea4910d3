"""What is asked of a model, as people write it: `accuracy>=0.9, recall[spam]>=0.95, latency_p99<=20ms`.

A criterion is a measure, then >= or <=, then a number: a share as 0.9 or 90%, a time as 20ms or 0.02s. The measures are
accuracy, macro-f1, loss, gain, latency_p50, latency_p99; and of one class recall[spam], precision[spam], f1[spam].
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from lit_al.exceptions import ConfigError
from lit_al.utils.nearest import did_you_mean

OF_A_CLASS: Final = ("recall", "precision", "f1")
TIMES: Final = ("latency_p50", "latency_p99")  # milliseconds; the number is the percentile
SHARES: Final = ("accuracy", "macro-f1", *OF_A_CLASS)
MEASURES: Final = (*SHARES, "loss", "gain", *TIMES)

_ONE: Final = re.compile(
    r"\s*(?P<measure>[\w-]+)\s*(?:\[(?P<of>.*)\])?\s*(?P<way>>=|<=)\s*(?P<number>[-+]?[\d.]+(?:e-?\d+)?)\s*"
    r"(?P<unit>ms|s|%)?\s*",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Criterion:
    """A measure, and the bound that it must not leave.

    Attributes:
        measure: one of `MEASURES`.
        of: the class it is of; "" where it is of all.
        way: which side of the bound is good.
        bound: a share, a loss in nats, or milliseconds.

    >>> str(Criterion("recall", "spam", ">=", 0.95)), str(Criterion("latency_p99", "", "<=", 20.0))
    ('recall[spam]>=0.95', 'latency_p99<=20ms')
    """

    measure: str
    of: str
    way: Literal[">=", "<="]
    bound: float

    @property
    def name(self) -> str:
        """The measure as it is written."""
        return f"{self.measure}[{self.of}]" if self.of else self.measure

    def __str__(self) -> str:
        return f"{self.name}{self.way}{self.bound:g}{'ms' if self.measure in TIMES else ''}"

    def holds(self, value: float) -> bool:
        """Is a value on the good side?"""
        return value >= self.bound if self.way == ">=" else value <= self.bound

    def check_class(self, classes: Sequence[str]) -> None:
        """Refuse a class that the model does not know, or one that is missing or too much.

        Raises:
            ConfigError: it is so.
        """
        if self.measure in OF_A_CLASS and not self.of:
            example = classes[-1] if len(classes) == 2 else classes[0]
            raise ConfigError(
                f"{self} names no class; did you mean {self.measure}[{example}]? The classes are {_listed(classes)}"
            )
        if self.of and self.of not in classes:
            guess = did_you_mean(self.of, classes)
            raise ConfigError(f"{self}: the model has no class {self.of!r}; {guess}they are {_listed(classes)}")


def read_criteria(text: str) -> tuple[Criterion, ...]:
    """The criteria that a text spells.

    Raises:
        ConfigError: one cannot be read, or asks for what cannot be; or there is none.

    >>> [str(one) for one in read_criteria("accuracy >= 90%, f1[a, b]>=0.8,latency_p99<=0.02s")]
    ['accuracy>=0.9', 'f1[a, b]>=0.8', 'latency_p99<=20ms']
    """
    found = tuple(map(_read, _pieces(text)))
    if not found:
        raise ConfigError(f"{text!r} holds no criterion; write some as accuracy>=0.9, recall[spam]>=0.95")
    return found


def _pieces(text: str) -> Iterator[str]:
    """What stands between commas, but those in the name of a class."""
    begin = depth = 0
    for place, sign in enumerate(text):
        if sign == "," and not depth:
            yield from filter(str.strip, [text[begin:place]])
            begin = place + 1
        depth = max(0, depth + (sign == "[") - (sign == "]"))
    yield from filter(str.strip, [text[begin:]])


def _read(piece: str) -> Criterion:
    found = _ONE.fullmatch(piece)
    if found is None:
        raise ConfigError(f"{piece.strip()!r} is no criterion; {_fault(piece)}")
    measure, of = found["measure"].lower(), (found["of"] or "").strip()
    if measure not in MEASURES:
        guess = did_you_mean(measure, MEASURES)
        raise ConfigError(f"{piece.strip()!r}: there is no measure {measure!r}; {guess}they are {', '.join(MEASURES)}")
    if found["of"] is not None and measure not in OF_A_CLASS:
        raise ConfigError(f"{piece.strip()!r}: {measure} is of all classes; leave [{of}] away, or ask for recall[{of}]")
    try:
        number = float(found["number"])
    except ValueError:
        raise ConfigError(f"{piece.strip()!r}: {found['number']} is no number") from None
    way: Literal[">=", "<="] = ">=" if found["way"] == ">=" else "<="
    return Criterion(measure, of, way, _bound(piece.strip(), measure, number, (found["unit"] or "").lower()))


def _bound(piece: str, measure: str, number: float, unit: str) -> float:
    """The number of a criterion, in the unit of its measure."""
    if measure in TIMES:
        if unit not in ("ms", "s"):
            raise ConfigError(f"{piece!r}: a latency has a unit; write {number:g}ms, or {number:g}s")
        return number * 1_000 if unit == "s" else number
    if unit in ("ms", "s"):
        raise ConfigError(f"{piece!r}: {measure} is no time; leave {unit} away")
    share = number / 100 if unit == "%" else number
    if measure in SHARES and not 0 <= share <= 1:
        meant = f"did you mean {number / 100:g}? " if 1 < share <= 100 else ""
        raise ConfigError(f"{piece!r}: {measure} is a share; {meant}It lies between 0 and 1")
    return share


def _fault(piece: str) -> str:
    """What is wrong with it, and how it is written."""
    if not re.search("[<>=]", piece):
        return f"it lacks >= or <= and a number, as in {piece.strip() or 'accuracy'}>=0.9"
    if not re.search(">=|<=", piece):
        return "write >= or <= between measure and number"
    if piece.count("[") != piece.count("]"):
        return "a bracket is open; the class stands as in recall[spam]"
    return "write it as accuracy>=0.9, recall[spam]>=0.95, macro-f1>=80% or latency_p99<=20ms"


def _listed(classes: Sequence[str]) -> str:
    return ", ".join(classes[:10]) + (f" and {len(classes) - 10:,} more" if len(classes) > 10 else "")
