"""What is declared of versions, systems and licences is so."""

import subprocess
import sys
import tomllib
from importlib.metadata import Distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
LOCK = dict(
    line.split("==")
    for line in (ROOT / "requirements.lock").read_text().split("\n")
    if "==" in line[1:] and line[0] != "#"
)
LOCKED = [Requirement(one) for one in (*PROJECT["dependencies"], *EXTRAS["dev"], *EXTRAS["annotate"], *EXTRAS["docs"])]


def lowest(requirement):
    return next((str(part.version) for part in requirement.specifier if part.operator == ">="), "any")


@pytest.mark.parametrize("requirement", LOCKED, ids=lambda requirement: requirement.name)
def test_the_lock_is_within_what_is_declared(requirement):
    assert requirement.specifier.contains(LOCK[requirement.name.lower()])


def test_the_documented_versions_are_those_declared_and_locked():
    rows = {f"| {one.name} | {lowest(one)} | {LOCK[one.name.lower()]} |" for one in LOCKED}
    lines = (ROOT / "docs" / "versions.md").read_text().split("\n")
    assert {
        line for line in lines if line.startswith("| ") and line.split(" | ")[0][2:] in {one.name for one in LOCKED}
    } == rows


def test_no_dependency_has_a_licence_that_would_bind_this_project():
    said = {name: licence_of(name) for name in LOCK if find(name)}
    assert said.keys() >= {"torch", "lightning", "scikit-learn"}
    assert not {name: words for name, words in said.items() if "GPL" in words or "General Public" in words}


def find(name):
    return next(Distribution.discover(name=name), None)


def licence_of(name):
    """What a package declares; older ones do so by classifiers."""
    facts = find(name).metadata
    return "; ".join([facts.get("License-Expression") or "", *(facts.get_all("Classifier") or [])])


def test_windows_is_refused_in_one_sentence():
    code = "import os; os.name = 'nt'; import lit_al"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 1
    assert done.stderr.split("\n")[-2] == (
        "ImportError: lit_al needs Linux or another Unix, and this is Windows; run it in WSL (wsl --install)"
    )
