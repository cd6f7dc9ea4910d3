"""The example notebooks run from the first cell to the last, without Jupyter."""

import ast
import json
from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(__file__).parents[1] / "docs" / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def code_of(path):
    return ["".join(cell["source"]) for cell in read(path)["cells"] if cell["cell_type"] == "code"]


def run(code, names, place):
    """Run a cell, and return the value of its last line, where that is an expression."""
    tree = ast.parse(code)
    last = ast.Expression(tree.body.pop().value) if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, place, "exec"), names)
    return eval(compile(last, place, "eval"), names) if last else None


def shown(value):
    """What a notebook shows of a value."""
    return value._repr_html_() if hasattr(value, "_repr_html_") else repr(value)


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    """What the cells of a notebook end with, by its name; each notebook runs once."""
    import matplotlib as mpl

    mpl.use("Agg")
    done = {}

    def of(name):
        if name not in done:
            names = {"__name__": name}
            with pytest.MonkeyPatch.context() as patch:
                patch.chdir(tmp_path_factory.mktemp(name))
                done[name] = [run(code, names, name) for code in code_of(FOLDER / f"{name}.ipynb")], names
                assert not list(Path.cwd().iterdir())  # what it writes it takes away again
        return done[name]

    yield of
    from matplotlib import pyplot

    pyplot.close("all")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_are_sound_and_without_outputs(path):
    notebook = read(path)
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    assert set(notebook) == {"cells", "metadata", "nbformat", "nbformat_minor"}
    ids = [cell["id"] for cell in notebook["cells"]]
    assert len(set(ids)) == len(ids)
    assert notebook["cells"][0]["cell_type"] == "markdown"
    for cell in notebook["cells"]:
        wanted = {"cell_type", "id", "metadata", "source"}
        if cell["cell_type"] == "code":
            assert (cell["outputs"], cell["execution_count"]) == ([], None)
            wanted |= {"outputs", "execution_count"}
        assert set(cell) == wanted
        assert all(isinstance(line, str) for line in cell["source"])


def test_there_are_two():
    assert [path.stem for path in NOTEBOOKS] == ["classify-texts", "label-less"]


def test_texts_are_classified_asked_for_and_kept(outputs):
    from matplotlib.figure import Figure

    (first, fitted, score, picture, query, again), names = outputs("classify-texts")
    assert first == (names["texts"][0], names["labels"][0])
    assert "TextClassifier" in shown(fitted)
    assert "% of the test texts are called right" in score
    assert isinstance(picture, Figure)
    assert picture.axes
    assert "10 texts to label next" in shown(query)
    assert set(query.texts) <= set(names["texts"][150:450])
    assert set(again) <= {"negative", "positive"}


def test_labels_asked_for_and_drawn_have_their_curves(outputs):
    from matplotlib.figure import Figure

    (_, query, picture, finished, asked, state), names = outputs("label-less")
    assert [count for count, _ in names["curves"]["random"]] == [40, 70, 100]
    assert all(0 < accuracy < 1 for curve in names["curves"].values() for _, accuracy in curve)
    assert len(set(names["known"])) == len(names["known"]) == 130
    assert isinstance(picture, Figure)
    assert len(picture.axes[0].lines) == 2
    assert "30 texts to label next, by random" in shown(query)
    assert "Round 1: entropy+random" in shown(finished)
    assert "Query 1: 30 texts by entropy+random" in shown(asked)
    assert "Run of seed 0 by entropy+random" in shown(state)
    assert np.isin(asked.rows, state.labeled).all()
