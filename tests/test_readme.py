"""What the README shows must work: options parse, files exist, Python runs."""

import json
import re
import shlex
from pathlib import Path

import pytest

from lit_al.cli.command_line import parse
from lit_al.cli.commands import COMMANDS
from lit_al.cli.main import main
from lit_al.delivery.model_card import python_code
from lit_al.exceptions import ConfigError
from lit_al.experiment.resume import Resume
from lit_al.models.own_network import load_network
from lit_al.text.encoder import RESERVED, TextEncoder

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(path, language):
    return re.findall(rf"```{language}\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL)


def commands():
    for path in DOCUMENTS:
        for block in blocks(path, "bash"):
            for line in block.replace("\\\n", " ").splitlines():
                if line.strip() and not line.startswith("#"):
                    yield pytest.param(shlex.split(line, comments=True), id=f"{path.name}: {line[:60]}")


@pytest.mark.parametrize("words", list(commands()))
def test_commands_name_scripts_and_options_that_exist(words):
    scripts = [word for word in words if word.startswith(("scripts/", "benchmarks/", ".ci/"))]
    assert scripts or {"pip", "git", "source", "tensorboard", "lit-al", "pytest"} & set(words)
    for script in scripts:
        assert (ROOT / script).is_file(), script
    place = next((i for i, word in enumerate(words) if re.fullmatch(r"scripts/\w+\.py|lit-al", word)), None)
    if place is None:
        return
    command = words[place + 1 :] if words[place] == "lit-al" else [Path(words[place]).stem, *words[place + 1 :]]
    if "--resume" in command:
        with pytest.raises(ConfigError, match="there is no folder"):  # and nothing else is wrong with it
            parse(COMMANDS, command)
    elif "--list-strategies" not in command:
        asked = parse(COMMANDS, command)
        if command[0] == "train":
            asked.resolved()


def test_first_two_commands_set_up_run_and_test():
    first = blocks(ROOT / "README.md", "bash")[0].strip().splitlines()
    assert first == [
        "bash scripts/in-venv python scripts/train.py --mode active",
        "bash scripts/in-venv bash scripts/check",
    ]
    assert first[1] in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


@pytest.mark.parametrize("number", [0, 1])
def test_python_of_the_readme_runs(number, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    code = blocks(ROOT / "README.md", "python")[number]
    exec(compile(code, "README.md", "exec"), {})
    if number == 0:
        assert "labels" in capsys.readouterr().out


def test_python_of_the_classifier_page_runs_from_top_to_bottom(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names = {}
    for code in blocks(ROOT / "docs" / "classifier.md", "python"):
        exec(compile(code, "classifier.md", "exec"), names)
    printed = capsys.readouterr().out
    assert "margin" in printed
    assert printed.endswith("all labels are of one class, 'good', but a classifier needs two classes or more\n")
    assert set(names["told"]) <= {"negative", "positive", "ask somebody"}
    assert [path.name for path in tmp_path.iterdir()] == ["reviews.ckpt"]


def test_python_of_the_deploy_page_makes_a_folder_and_reads_it(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    [code] = blocks(ROOT / "docs" / "deploy.md", "python")
    exec(compile(code, "deploy.md", "exec"), {})
    assert capsys.readouterr().out.strip() in ("bad", "good")
    assert (tmp_path / "made" / "tokenizer.json").is_file()


def test_code_of_the_deploy_page_is_that_of_the_card():
    encoder = TextEncoder((*RESERVED, "x"), max_length=400, how="unicode", cut="middle")
    card = python_code(encoder, masked=True)
    page = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
    lines = [line for line in card.splitlines() if line and not line.startswith(("import", "from", "print"))]
    assert all(line.partition("  #")[0] in page for line in lines)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_and_pictures_lead_somewhere(path):
    text = path.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)", text):
        if not target.startswith("http"):
            assert (path.parent / target).exists(), target


def test_documents_hold_no_placeholder():
    for path in DOCUMENTS:
        assert "@@" not in path.read_text(encoding="utf-8"), path.name


def test_network_of_the_readme_goes_through_callback_strategy_rule_report_and_benchmark(tmp_path, monkeypatch, capsys):
    [code] = [block for block in blocks(ROOT / "README.md", "python") if "# mynet.py" in block]
    assert len([line for line in code.splitlines() if line.strip()]) < 40
    monkeypatch.chdir(tmp_path)
    Path("mynet.py").write_text(code)
    small = ["--data", "demo", "--demo-rows", "400"]
    run = ["--protocol", "honest", "--strategy", "margin+random:0.1", "--stop", "budget:150", "--query-size", "20"]
    network = ["--network", "mynet.py:HashedWords"]
    assert main(["train", *network, *run, *small, "--max-epochs", "2", "--accelerator", "cpu"]) == 0
    folder = tmp_path / "lightning_logs" / "version_0"
    results = json.loads((folder / "results.json").read_text())
    assert "budget of 150" in results["stop_reason"]
    assert results["rounds"][0]["controls"] == 2
    assert results["test"]["accuracy"] > 0
    assert "report.html" in {path.name for path in folder.iterdir()}
    rows = ["--strategies", "honest/margin,honest/random", "--seeds", "1", "--budgets", "50"]
    assert main(["benchmark", *network, *small, *rows]) == 0
    cells = (tmp_path / "lightning_logs" / "benchmark" / "cells.jsonl").read_text().splitlines()
    assert {json.loads(cell)["strategy"] for cell in cells} >= {"honest/margin", "honest/random"}
    assert all(json.loads(cell)["accuracy"] > 0 for cell in cells)
    capsys.readouterr()
    assert main(["predict", *network, "--checkpoint", str(folder), "a fine film"]) == 0
    assert capsys.readouterr().out.split("\t")[0] in ("negative", "positive")
    assert main(["predict", "--checkpoint", str(folder), "a fine film"]) == 2
    assert "name its class with lit-al predict --network" in capsys.readouterr().err


def test_code_that_a_run_names_is_run_only_if_it_is_named_again(tmp_path):
    with pytest.raises(ConfigError, match=r"code is run only if you name it; add --network mynet\.py:A"):
        Resume(tmp_path).check_network("mynet.py:A")
    Resume(tmp_path, network="mynet.py:A").check_network("mynet.py:A")
    Resume(tmp_path).check_network(None)


@pytest.mark.parametrize(
    ("named", "words"),
    [
        ("mynet", "names no class; write FILE.py:CLASS"),
        ("absent.py:A", "cannot be imported .FileNotFoundError"),
        ("json:JSONDecoder", "json has no LightningModule JSONDecoder"),
        ("broken.py:A", "cannot be imported .ZeroDivisionError"),
    ],
)
def test_network_that_cannot_be_is_refused_in_one_sentence(named, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("broken.py").write_text("1 / 0")
    with pytest.raises(ConfigError, match=words):
        load_network(named)
