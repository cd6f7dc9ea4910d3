from dataclasses import asdict, fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lit_al.exceptions import ConfigError
from lit_al.training.recipe import LEAN, NAMES, PARTS, SCRATCH, Recipe, make_recipe

CHANGES = st.lists(st.tuples(st.sampled_from("+-"), st.sampled_from(sorted(PARTS))), max_size=6)


def parts_of(recipe):
    """The parts that are on."""
    return {part for part, on in PARTS.items() if all(getattr(recipe, name) == value for name, value in on.items())}


@given(st.sampled_from(sorted(NAMES)), CHANGES)
def test_parts_are_those_spelled_the_last_word_counting(name, changes):
    expected = set(NAMES[name])
    for sign, part in changes:
        (expected.add if sign == "+" else expected.discard)(part)
    recipe = make_recipe(name + "".join(sign + part for sign, part in changes))
    assert parts_of(recipe) == expected
    for part in set(PARTS) - expected:  # off, not merely at another value
        assert not any(getattr(recipe, setting) for setting in PARTS[part])


def test_the_two_names():
    assert make_recipe("scratch") == Recipe()
    assert parts_of(make_recipe("scratch")) == set(SCRATCH)
    assert parts_of(make_recipe("lean")) == set(LEAN)
    assert not make_recipe("scratch").studies
    assert make_recipe("lean").studies


@pytest.mark.parametrize("part", PARTS)
def test_a_part_left_out_is_off_and_alone_it_is_on(part):
    assert part not in parts_of(make_recipe(f"lean-{part}"))
    assert parts_of(make_recipe(f"scratch-average+{part}")) == {part}
    studies = make_recipe(f"scratch+{part}").studies
    assert studies == (part in ("teacher", "adversarial", "entropy"))


def test_other_settings_are_those_of_the_base():
    base = Recipe(steps=7, study_steps=9, masked=True, validation="cross:3", guard=False, weights="warm", teacher=True)
    recipe = make_recipe("scratch+vectors", base)
    assert recipe == replace(base, teacher=False, vectors=True)
    assert {type(value) for value in asdict(recipe).values()} <= {int, float, str, bool, type(None)}


def test_every_part_sets_settings_that_there_are():
    names = {item.name for item in fields(Recipe)}
    assert all(set(on) <= names for on in PARTS.values())


@pytest.mark.parametrize(
    "text", ["", "nonsense", "Lean", "lean+", "lean+magic", "lean teacher", "+teacher", "lean+teacher ", "scratchlean"]
)
def test_other_spellings_are_refused_with_what_there_is(text):
    with pytest.raises(ConfigError) as error:
        make_recipe(text)
    assert repr(text) in str(error.value)
    assert all(part in str(error.value) for part in PARTS)
    assert "\n" not in str(error.value)
