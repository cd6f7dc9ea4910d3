"""Stopping rules by name, with their numbers, and several at once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

from lit_al.criteria import read_criteria
from lit_al.exceptions import ConfigError
from lit_al.stopping.rule import Named, Progress, Rule
from lit_al.stopping.rules import Budget, ClassificationChange, Kappa, OverallUncertainty, Plateau, PoolEmpty, Target
from lit_al.utils.intervals import Z
from lit_al.utils.nearest import did_you_mean

RULES: dict[str, type[Named]] = {
    rule.name: rule for rule in (Budget, Target, Plateau, OverallUncertainty, ClassificationChange, Kappa, PoolEmpty)
}


@dataclass(frozen=True)
class _Several:
    """Rules that decide together."""

    rules: tuple[Rule, ...]

    @property
    def needs(self) -> frozenset[str]:
        """What any of them needs."""
        return frozenset[str]().union(*(rule.needs for rule in self.rules))


class AnyOf(_Several):
    """Stop as soon as one of the rules would."""

    def check(self, history: Sequence[Progress]) -> tuple[bool, str]:
        """The reasons of the rules that stop; where none does, those of all for going on."""
        return _weigh([rule.check(history) for rule in self.rules], any)

    def __str__(self) -> str:
        """As `make_rule` reads it."""
        return ",".join(map(str, self.rules))


class AllOf(_Several):
    """Stop once every one of the rules would."""

    def check(self, history: Sequence[Progress]) -> tuple[bool, str]:
        """The reasons of all rules where they stop; else of those that would go on."""
        return _weigh([rule.check(history) for rule in self.rules], all)

    def __str__(self) -> str:
        """As `make_rule` reads it."""
        return "+".join(map(str, self.rules))


def _weigh(found: Sequence[tuple[bool, str]], join: Callable[[Sequence[bool]], bool]) -> tuple[bool, str]:
    stop = join([one for one, _ in found])
    return stop, "; ".join(reason for one, reason in found if one == stop)


def make_rule(text: str) -> Rule:
    """The rule that a text spells: a name, then its numbers after colons; `,` joins by "any", `+` by "all".

    `+` binds closer than `,`: `budget:2500,kappa:0.99+plateau` stops at 2,500 labels, or before when models agree and
    accuracy no longer rises.

    Raises:
        ConfigError: an unknown name, a number that does not fit, or nothing at all.

    >>> make_rule("kappa:0.99")
    Kappa(threshold=0.99, window=3)
    >>> str(make_rule("budget:2500,kappa+plateau:2"))
    'budget:2500,kappa:0.99:3+plateau:2:0.005'
    """
    alternatives = [_all_of(part) for part in text.split(",")]
    return alternatives[0] if len(alternatives) == 1 else AnyOf(tuple(alternatives))


def rule_until(text: str) -> str:
    """The spelling of the rule that stops once criteria hold by the lower end of the interval, as `lit-al gate` has it.

    Raises:
        ConfigError: they cannot be read, or are none of the accuracy, which alone is estimated while a run goes on.

    >>> rule_until("accuracy>=90%")
    'target:0.9:1.96'
    """
    found = read_criteria(text)
    for criterion in found:
        if criterion.measure != "accuracy" or criterion.way != ">=":
            raise ConfigError(
                f"--until {criterion} cannot end a run, whose labels estimate its accuracy alone; give "
                "accuracy>=SHARE, and ask lit-al gate for the rest"
            )
    return str(Target(max(criterion.bound for criterion in found), round(Z, 2)))


def _all_of(text: str) -> Rule:
    rules: list[Rule] = [_one(part) for part in text.split("+")]
    return rules[0] if len(rules) == 1 else AllOf(tuple(rules))


def _one(text: str) -> Rule:
    name, *numbers = (part.strip() for part in text.split(":"))
    if name not in RULES:
        guess = did_you_mean(name, RULES)
        raise ConfigError(f"stopping rule {name!r} is unknown; {guess}the rules are {', '.join(RULES)}")
    wanted = fields(RULES[name])
    if len(numbers) > len(wanted):
        raise ConfigError(f"stopping rule {text!r} has {len(numbers)} numbers, it takes {_usage(name)}")
    kinds = [int if field.type is int else float for field in wanted]
    try:
        values = [kind(number) for kind, number in zip(kinds, numbers, strict=False)]
        return RULES[name](*values)  # type: ignore[return-value]  # every class in RULES has a check
    except (ValueError, TypeError) as error:
        raise ConfigError(f"stopping rule {text!r} does not fit, it takes {_usage(name)}") from error


def _usage(name: str) -> str:
    return ":".join([name, *(field.name.upper() for field in fields(RULES[name]))])
