"""The shape of the package: which module may import which, what is public, what stays unloaded."""

import ast
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path

import pytest

import lit_al

PACKAGE = Path(lit_al.__file__).parent
ROOT = PACKAGE.parent

# The rooms of the house, from the bottom up: a module may import those of earlier rooms, and its own.
ROOMS = [
    "exceptions",
    "typing",
    "utils",
    "metrics",
    "calibration",
    "criteria",
    "data",
    "text",
    "models",
    "drift",
    "strategies",
    "stopping",
    "record",
    "oracles",
    "exchange",
    "loop",
    "training",
    "reporting",
    "experiment",
    "delivery",
    "serving",
    "benchmark",
    "annotate",
    "cli",
]
LEVEL = {name: level for level, name in enumerate(ROOMS)}
FILES = sorted(PACKAGE.rglob("*.py"))


def module_of(path):
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path):
    """Modules of lit_al that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "lit_al":
            parts = node.module.split(".")
            yield from [parts[1]] if len(parts) > 1 else [alias.name for alias in node.names]
        elif isinstance(node, ast.Import):
            yield from (alias.name.split(".")[1] for alias in node.names if alias.name.startswith("lit_al."))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_run_down_to_the_rooms_below(path):
    module = module_of(path)
    if module == "__init__":
        return
    for other in imported(path):
        assert other == module or LEVEL[other] < LEVEL[module], f"{module} must not import {other}"


def test_every_module_has_its_room():
    assert {module_of(path) for path in FILES} - {"__init__"} == set(LEVEL)


@pytest.mark.parametrize("folder", ["strategies", "oracles"])
def test_choosing_and_answering_know_neither_lightning_nor_each_other(folder):
    for path in (PACKAGE / folder).rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert "import lightning" not in text
        assert "data_module" not in text
        assert not {"strategies", "oracles"} - {folder} & set(imported(path))


def test_model_knows_nothing_of_active_learning():
    assert set(imported(PACKAGE / "models" / "lit_bilstm.py")) == {"models", "metrics", "text"}


def test_public_names():
    assert lit_al.__all__ == [
        "ActiveDataModule",
        "ActiveLearner",
        "ActiveLearningCallback",
        "Corpus",
        "LitALError",
        "LitBiLSTM",
        "RatioSampling",
        "SimulatedOracle",
        "Split",
        "TextClassifier",
        "TextEncoder",
        "classify",
        "load_corpus",
    ]
    for name in lit_al.__all__:
        assert getattr(lit_al, name).__doc__
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = lit_al.nonsense


def test_import_loads_nothing_heavy():
    code = "import sys, lit_al; print({'torch', 'lightning', 'numba', 'matplotlib', 'datasets'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_training_loads_datasets_only_for_the_hub():
    code = "import sys, lit_al.experiment.session; print({'datasets', 'numba', 'pyarrow'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_map_is_what_the_modules_say():
    assert subprocess.run([sys.executable, "scripts/draw-map", "--check"], cwd=ROOT, check=False).returncode == 0


def test_all_files_of_the_package_are_shipped():
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]["lit_al"]
    shipped = {path for pattern in declared for path in PACKAGE.glob(pattern)}
    others = {path for path in PACKAGE.rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    assert others - set(FILES) == shipped
    assert PACKAGE / "reporting" / "templates" / "report.html" in shipped


def test_no_two_modules_share_a_name():
    names = Counter(path.stem for path in FILES if path.stem != "__init__")
    assert [name for name, count in names.items() if count > 1] == []


def test_no_two_public_classes_share_a_name():
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in FILES]
    names = Counter(node.name for tree in trees for node in tree.body if isinstance(node, ast.ClassDef))
    assert [name for name, count in names.items() if count > 1 and not name.startswith("_")] == []


def test_wheel_ships_every_file_that_is_no_module():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    patterns = settings["tool"]["setuptools"]["package-data"]["lit_al"]
    shipped = {path for pattern in patterns for path in PACKAGE.glob(pattern)}
    files = {path for path in PACKAGE.rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    assert {path for path in files if path.suffix != ".py"} == shipped
