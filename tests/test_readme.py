"""What the README shows must work: options parse, files exist, Python runs."""

import re
import shlex
from pathlib import Path

import pytest

from lit_al.cli.command_line import parse
from lit_al.cli.commands import COMMANDS
from lit_al.exceptions import ConfigError

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


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_and_pictures_lead_somewhere(path):
    text = path.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)", text):
        if not target.startswith("http"):
            assert (path.parent / target).exists(), target


def test_documents_hold_no_placeholder():
    for path in DOCUMENTS:
        assert "@@" not in path.read_text(encoding="utf-8"), path.name
