from importlib.metadata import EntryPoint

import pytest

from lit_al.exceptions import ConfigError
from lit_al.strategies import STRATEGIES, WRAPPERS, Strategy, Wrapper, describe_strategies, make_strategy, registry


def test_every_strategy_of_the_package_has_its_name():
    def leaves(kind):
        yield kind
        for child in kind.__subclasses__():
            yield from leaves(child)

    ours = {k for k in leaves(Strategy) if k.__module__.startswith("lit_al.") and "name" in vars(k)}
    assert ours == {*STRATEGIES.values(), *WRAPPERS.values()}
    assert all(name == kind.name for name, kind in {**STRATEGIES, **WRAPPERS}.items())


def test_names_are_listed_first_with_a_line_each():
    lines = describe_strategies()
    first = [line.split()[0] for line in lines]
    assert first[: len(STRATEGIES)] == list(STRATEGIES)
    assert {f"…+{name}" for name in WRAPPERS} <= set(first)
    assert all(len(line.split()) > 3 and "\n" not in line for line in lines)
    assert "random:0.1" in lines[-1]


@pytest.mark.parametrize(
    ("spelling", "message"),
    [
        ("entropyy", "strategy 'entropyy' is unknown; did you mean 'entropy'\\? there are random, ratio,"),
        ("xyz", "strategy 'xyz' is unknown; there are random"),
        ("", "strategy '' is unknown"),
        ("entropy+balancd", "wrapper 'balancd' is unknown; did you mean 'balanced'\\? there are power"),
        ("balanced", "'balanced' is no strategy; put it after a strategy, as in entropy\\+balanced"),
        ("entropy+margin", "'margin' is no wrapper; write margin first"),
        ("margin:0.5", "margin takes no setting but got '0.5'; write margin"),
        ("entropy+balanced:2", "balanced takes no setting but got '2'"),
        ("ratio:backwards", "ratio direction 'backwards' is unknown"),
        ("contrastive:0", "contrastive neighbors 0 must be"),
        ("density:heavy", "density weight 'heavy' must be"),
    ],
)
def test_spellings_that_name_nothing_are_refused(spelling, message):
    with pytest.raises(ConfigError, match=message):
        make_strategy(spelling)


def test_power_alone_is_entropy_with_power():
    assert make_strategy("power:2+random:0.5").spelling == "entropy+power:2+random:0.5"


def test_spaces_around_plus_signs_do_not_matter():
    assert make_strategy("entropy + balanced") == make_strategy("entropy+balanced")


class Shortest(Strategy):
    """Rows with the lowest ids, as a package of its own would add."""

    name = "shortest"

    def score(self, pool, context):
        return -pool.rows


class Echo(Wrapper):
    """Does nothing."""

    name = "echo"


class Misnamed(Strategy):
    """Its name is not that of the entry point."""

    name = "other"


@pytest.fixture
def plugins(monkeypatch):
    """Entry points as an installed package would declare them, found in this file or nowhere."""

    def declare(*points):
        named = [Declared(name, value, registry.GROUP) for name, value in points]
        monkeypatch.setattr(registry, "entry_points", lambda group: named if group == registry.GROUP else [])

    return declare


class Declared(EntryPoint):
    """An entry point whose module may be this one."""

    def load(self):
        return globals()[self.attr] if self.module == "here" else super().load()


def test_strategy_of_another_package_is_found_by_name(plugins, make_pool, make_context):
    plugins(("shortest", "here:Shortest"), ("echo", "here:Echo"))
    strategy = make_strategy("shortest+echo+random:0.5")
    assert strategy.spelling == "shortest+echo+random:0.5"
    assert any(line.startswith("shortest") for line in describe_strategies())


def test_broken_plugin_gives_one_sentence_and_harms_no_other(plugins):
    plugins(("shortest", "no_such_module:Shortest"))
    assert make_strategy("entropy").name == "entropy"
    with pytest.raises(
        ConfigError, match="strategy 'shortest' cannot be loaded from no_such_module:Shortest: ModuleNot"
    ):
        make_strategy("shortest")
    assert any("cannot be loaded" in line for line in describe_strategies())


@pytest.mark.parametrize("attribute", ["Misnamed", "pytest"])
def test_plugin_that_is_no_strategy_of_that_name_is_refused(plugins, attribute):
    plugins(("shortest", f"here:{attribute}"))
    with pytest.raises(ConfigError, match=r"must be a subclass of lit_al\.strategies\.Strategy with name = 'shortest'"):
        make_strategy("shortest")


def test_plugin_cannot_take_the_name_of_one_of_ours(plugins):
    plugins(("entropy", "here:Misnamed"))
    assert type(make_strategy("entropy")) is STRATEGIES["entropy"]
