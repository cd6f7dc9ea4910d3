"""docs/strategies.md lists every strategy, and what it shows works."""

import re
import tomllib
from pathlib import Path

import pytest

from lit_al.strategies import STRATEGIES, WRAPPERS, Strategy, make_strategy

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "strategies.md").read_text(encoding="utf-8")


def test_every_name_has_a_row():
    rows = set(re.findall(r"^\| `([^`]+)`", TEXT, re.MULTILINE))
    assert rows == {*STRATEGIES, *(f"+{name}" for name in WRAPPERS)}


def test_needs_in_the_table_are_those_of_the_classes():
    for name, kind in STRATEGIES.items():
        row = next(line for line in TEXT.splitlines() if line.startswith(f"| `{name}` |"))
        strategy = kind()
        stated = {word.strip() for word in row.split("|")[3].split(",")} - {"nothing", "errors"}
        assert stated == set(strategy.needs)
        assert ("errors" in row.split("|")[3]) == strategy.needs_confusion


def test_python_blocks_run():
    names = {}
    for code in re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL):
        exec(compile(code, "strategies.md", "exec"), names)
    assert issubclass(names["Longest"], Strategy)


@pytest.mark.parametrize("spelling", sorted(set(re.findall(r"`([a-z:+0-9.-]+\+[a-z:+0-9.-]+)`", TEXT))))
def test_spellings_make_a_strategy(spelling):
    assert make_strategy(spelling).needs is not None


def test_entry_point_names_its_group():
    declared = tomllib.loads(re.search(r"```toml\n(.*?)```", TEXT, re.DOTALL)[1])
    assert declared == {"project": {"entry-points": {"lit_al.strategies": {"longest": "my_package.choosing:Longest"}}}}
