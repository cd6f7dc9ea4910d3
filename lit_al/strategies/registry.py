"""Strategies by name: `make_strategy("entropy+balanced+random:0.1")`.

A spelling is the name of a strategy and, each after a plus sign, the names of wrappers around it, innermost first. A
colon gives a name its setting. Other packages add names through the entry point group `lit_al.strategies`; they are
loaded when they are asked for.
"""

import inspect
from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points

from lit_al.exceptions import ConfigError
from lit_al.strategies.badge import BADGE
from lit_al.strategies.batchbald import BatchBALD
from lit_al.strategies.clusters import ClusterMargin, Typicality
from lit_al.strategies.density import Contrastive, Density
from lit_al.strategies.disagreement import BALD, BALDCommittee, CommitteeConsensus, CommitteeKL, CommitteeVote
from lit_al.strategies.diversity import CoreSet, KMeans
from lit_al.strategies.ratio import RatioSampling
from lit_al.strategies.sampling import Controls, Subsample
from lit_al.strategies.similar import Diverse
from lit_al.strategies.strategy import Strategy
from lit_al.strategies.uncertainty import Entropy, LeastConfidence, Margin, RandomSampling
from lit_al.strategies.wrappers import Balanced, Power, Wrapper
from lit_al.utils.nearest import did_you_mean

GROUP = "lit_al.strategies"

STRATEGIES: dict[str, type[Strategy]] = {
    strategy.name: strategy
    for strategy in (
        RandomSampling,
        RatioSampling,
        LeastConfidence,
        Margin,
        Entropy,
        CommitteeVote,
        CommitteeConsensus,
        CommitteeKL,
        BALD,
        BALDCommittee,
        BatchBALD,
        BADGE,
        CoreSet,
        KMeans,
        ClusterMargin,
        Typicality,
        Density,
        Contrastive,
    )
}
WRAPPERS: dict[str, type[Wrapper]] = {
    wrapper.name: wrapper for wrapper in (Power, Balanced, Diverse, Subsample, Controls)
}
ALIASES = {"power": "entropy+power"}  # a wrapper's name alone


def make_strategy(spelling: str) -> Strategy:
    """The strategy that a spelling names.

    Raises:
        ConfigError: an unknown name or a setting that cannot work.

    >>> strategy = make_strategy("entropy:0.5+balanced+subsample:2000+random:0.2")
    >>> strategy.spelling, sorted(strategy.needs)
    ('entropy:0.5+balanced+subsample:2000+random:0.2', ['probabilities'])
    """
    name, *wrappers = [part.strip() for part in spelling.split("+")]
    first, _, setting = name.partition(":")
    if first in ALIASES:
        return make_strategy("+".join([ALIASES[first] + (f":{setting}" if setting else ""), *wrappers]))
    strategy = _make(_find(first, STRATEGIES), setting)
    for part in wrappers:
        first, _, setting = part.partition(":")
        strategy = _make(_find(first, WRAPPERS), setting, strategy)
    return strategy


def describe_strategies() -> list[str]:
    """A line for each strategy and wrapper: its name, what it prefers, what it needs."""
    lines = [_line(name, kind) for name, kind in STRATEGIES.items()]
    lines += [_line("power", Power, note=f"; alone it means {ALIASES['power']}")]
    lines += [_plugin_line(point) for point in _plugins()]
    lines += [_line(f"…+{name}", kind) for name, kind in WRAPPERS.items()]
    return [*lines, "Combine as in entropy+balanced+subsample:5000+diverse+random:0.1, innermost first, random:… last."]


def _line(name: str, kind: type[Strategy], note: str = "") -> str:
    summary = (inspect.getdoc(kind) or "").partition("\n")[0].rstrip(".")
    if issubclass(kind, Wrapper):
        return f"{name:<20} {summary}{note}"
    strategy = _make(kind, "")
    needs = sorted(strategy.needs) + ["the model's errors"] * strategy.needs_confusion
    return f"{name:<20} {summary}{note} [needs {', '.join(needs) or 'nothing'}]"


def _plugin_line(point: EntryPoint) -> str:
    try:
        return _line(point.name, _load(point))
    except ConfigError as error:
        return f"{point.name:<20} {error}"


def _find(name: str, known: Mapping[str, type[Strategy]]) -> type[Strategy]:
    """The class of a name: one of ours, else one of another package."""
    if name in known:
        return known[name]
    wrapping = known is WRAPPERS
    for point in _plugins():
        if point.name == name:
            kind = _load(point)
            if issubclass(kind, Wrapper) == wrapping:
                return kind
    what = "wrapper" if wrapping else "strategy"
    if name in WRAPPERS or name in STRATEGIES:
        way = f"put it after a strategy, as in entropy+{name}" if name in WRAPPERS else f"write {name} first"
        raise ConfigError(f"{name!r} is no {what}; {way}")
    names = [*known, *(() if wrapping else ALIASES), *(point.name for point in _plugins())]
    raise ConfigError(f"{what} {name!r} is unknown; {did_you_mean(name, names)}there are {', '.join(names)}")


def _make(kind: type[Strategy], setting: str, *base: Strategy) -> Strategy:
    """One strategy, or one wrapper around a base."""
    if setting and len(inspect.signature(kind).parameters) <= len(base):
        raise ConfigError(f"{kind.name} takes no setting but got {setting!r}; write {kind.name}")
    try:
        return kind.from_setting(setting, *base)
    except TypeError as error:
        raise ConfigError(f"strategy {kind.name!r} cannot be made from its name: {error}") from error


def _plugins() -> list[EntryPoint]:
    return sorted(entry_points(group=GROUP), key=lambda point: point.name)


def _load(point: EntryPoint) -> type[Strategy]:
    """The class behind an entry point.

    Raises:
        ConfigError: it cannot be imported or is no strategy of that name.
    """
    try:
        kind = point.load()
    except Exception as error:  # whatever another package does at import
        raise ConfigError(
            f"strategy {point.name!r} cannot be loaded from {point.value}: {type(error).__name__}: {error}; "
            "repair or remove the package that adds it"
        ) from error
    if not (isinstance(kind, type) and issubclass(kind, Strategy) and getattr(kind, "name", None) == point.name):
        raise ConfigError(
            f"strategy {point.name!r} cannot be used: {point.value} must be a subclass of lit_al.strategies.Strategy "
            f"with name = {point.name!r}"
        )
    return kind
