import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from rich.console import Console

from lit_al.cli import main
from lit_al.exceptions import DataError
from lit_al.experiment.config import TrainConfig
from lit_al.experiment.explain import explain
from lit_al.experiment.session import run
from lit_al.reporting.queries import read_picks

CONFIG = TrainConfig(
    data="demo", demo_rows=300, strategy="entropy+random:0.2", query_size=10, rounds=2, max_epochs=1, accelerator="cpu"
)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Folder of a run of two rounds."""
    logs = tmp_path_factory.mktemp("logs")
    with (logs / "console.txt").open("w") as file:
        run(replace(CONFIG, log_dir=str(logs), name="run"), Console(file=file))
    return logs / "run"


@pytest.fixture
def folder(finished, tmp_path):
    """A copy, to be spoiled."""
    return Path(shutil.copytree(finished, tmp_path / "run"))


def test_every_text_of_a_round_is_explained(finished):
    from lit_al.data import load_corpus

    lines = list(explain(finished, 1))
    picks = [pick for pick in read_picks(finished) if pick.round == 1]
    corpus = load_corpus(**CONFIG.corpus)
    assert lines[0] == "round 1: 10 texts chosen by entropy+random:0.2, 2 of them random controls"
    assert sum(line.strip() == "random control" for line in lines) == 2
    for place, pick in enumerate(picks, 1):
        head = next(line for line in lines if line.startswith(f"{place:3d}. row {pick.row}: "))
        assert f"predicted {pick.predicted}" in head
        assert f"is {corpus.classes[corpus.labels[pick.row]]}" in head
        reason, text = lines[lines.index(head) + 1 :][:2]
        assert reason.strip() == pick.reason
        assert text.strip()[:30] == corpus.texts[pick.row][:30]


def test_last_round_and_the_first_texts_are_shown_by_choice(finished):
    lines = list(explain(finished, top=3))
    assert lines[0].startswith("round 2: 10 texts")
    assert lines[-1] == "7 more; --top 10 shows all"
    assert sum(". row " in line for line in lines) == 3


def test_active_half_of_a_comparison_is_explained(finished, tmp_path):
    shutil.copytree(finished, tmp_path / "both" / "active")
    (tmp_path / "both" / "active" / "config.yaml").rename(tmp_path / "both" / "config.yaml")
    assert list(explain(tmp_path / "both")) == list(explain(finished))


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"data": "nowhere.csv"}, "nowhere.csv"),
        ({"demo_rows": 299}, "demo (seed 0, 299 rows, v"),
        (None, "is missing"),
        ("data: [", "is no YAML of settings"),
        ({"demo_row": 300}, "has 'demo_row', which is no setting; did you mean 'demo_rows'?"),
        ({3: 300}, "has '3', which is no setting;"),
    ],
)
def test_corpus_that_is_gone_or_another_leaves_the_reasons(folder, settings, why):
    path = folder / "config.yaml"
    if settings is None:
        path.unlink()
    elif isinstance(settings, str):
        path.write_text(settings)
    else:
        path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), **settings}))
    lines = list(explain(folder))
    [note] = [line for line in lines if line.startswith("the texts are not shown: ")]
    assert why in note
    assert sum(". row " in line for line in lines) == 10
    assert len(lines) == 3 + 1 + 1 + 2 * 10 + sum(line.startswith("warning") for line in lines)


def test_warning_and_a_text_that_would_steer_the_terminal(folder):
    results = json.loads((folder / "results.json").read_text())
    results["rounds"][1]["warning"] = "the model calls 99% \x1b[31m"
    (folder / "results.json").write_text(json.dumps(results))
    printed = "\n".join(explain(folder))
    assert "warning: the model calls 99% �[31m" in printed
    assert "\x1b" not in printed


def test_what_cannot_be_explained_is_refused(folder, tmp_path):
    with pytest.raises(DataError, match="has rounds 1 to 2, not 3"):
        list(explain(folder, 3))
    with pytest.raises(DataError, match="give the folder of a run"):
        list(explain(tmp_path / "none"))
    (folder / "picks.jsonl").write_text("")
    with pytest.raises(DataError, match="has chosen no text yet"):
        list(explain(folder))
    (folder / "picks.jsonl").unlink()
    with pytest.raises(DataError, match="a run that chose texts"):
        list(explain(folder))
    for content, words in (("{", r"results\.json cannot be read"), ("[]", "not of schema 1")):
        (folder / "results.json").write_text(content)
        with pytest.raises(DataError, match=words):
            list(explain(folder))


def test_command_prints_or_refuses_in_one_sentence(finished, capsys):
    assert main.main(["explain", str(finished), "--round", "1", "--top", "2"]) == 0
    assert capsys.readouterr().out.startswith("round 1: 10 texts")
    for arguments in ([str(finished), "--round", "0"], [str(finished), "--top", "0"], ["nowhere"]):
        assert main.main(["explain", *arguments]) == 2
        printed = capsys.readouterr().err
        assert printed.startswith("error: ")
        assert printed.count("\n") == 1
