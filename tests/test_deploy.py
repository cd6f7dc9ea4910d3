"""What lies in deploy/ and what the hub reads: files are of their kind, and the commands in them are ours."""

import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from lit_al.cli.command_line import parse
from lit_al.cli.commands import COMMANDS

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def instructions():
    """Of the Dockerfile: each as its name and the rest, lines that go on joined."""
    text = re.sub(r"^#.*\n", "", (DEPLOY / "Dockerfile").read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    return [tuple(line.split(None, 1)) for line in text.splitlines() if line.strip()]


def compose():
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text())


def filled(words):
    """A command of compose with the defaults of its variables."""
    return [re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", word) for word in words]


def test_image_is_of_two_stages_and_runs_as_nobody_special():
    lines = instructions()
    assert [name for name, _ in lines].count("FROM") == 2
    last = lines[max(place for place, (name, _) in enumerate(lines) if name == "FROM") :]
    names = [name for name, _ in last]
    assert {"USER", "HEALTHCHECK", "ENTRYPOINT", "VOLUME"} <= set(names)
    assert dict(last)["USER"] not in ("root", "0")
    assert all("slim" in rest or "AS build" in rest for name, rest in lines if name == "FROM")


def test_image_copies_what_there_is_and_nothing_that_is_kept_out():
    allowed = {line[1:] for line in (DEPLOY / "Dockerfile.dockerignore").read_text().split() if line.startswith("!")}
    for name, rest in instructions():
        if name == "COPY" and not rest.startswith("--from"):
            for source in rest.split()[:-1]:
                assert (ROOT / source).exists()
                assert source in allowed


def test_image_installs_extras_that_exist_and_the_locked_torch():
    [extras] = [rest.partition("=")[2] for name, rest in instructions() if name == "ARG" and rest.startswith("EXTRAS")]
    assert set(extras.split(",")) <= set(PROJECT["optional-dependencies"])
    assert any(line.startswith("torch==") for line in (ROOT / "requirements.lock").read_text().splitlines())


@pytest.mark.skipif(shutil.which("hadolint") is None, reason="hadolint is not installed")
def test_dockerfile_has_no_finding_of_hadolint():
    done = subprocess.run(["hadolint", DEPLOY / "Dockerfile"], capture_output=True, text=True, check=False)
    assert done.stdout == ""


@pytest.mark.slow
def test_image_builds_where_docker_runs():
    if (
        shutil.which("docker") is None
        or subprocess.run(["docker", "info"], capture_output=True, check=False).returncode
    ):
        pytest.skip("no docker runs here")
    build = ["docker", "build", "-q", "-f", "deploy/Dockerfile", "."]
    image = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    done = subprocess.run(["docker", "run", "--rm", image, "--help"], capture_output=True, text=True, check=True)
    assert "annotate" in done.stdout


@pytest.mark.parametrize("name", list(compose()["services"]))
def test_commands_of_compose_are_ours_and_write_into_the_volume(name):
    service = compose()["services"][name]
    words = filled(service["command"])
    parse(COMMANDS, words)
    assert service["read_only"]
    for word in words:
        path = re.fullmatch(r"--(?:to|to-label|json|log-dir)=(.*)", word)
        assert path is None or path[1].startswith("/data/")
    assert set(re.findall(r"(\w+):/", " ".join(map(str, service["volumes"])))) >= set(compose()["volumes"])


@pytest.mark.parametrize("name", ["page", "service"])
def test_what_compose_serves_is_reached_from_its_own_machine_alone(name):
    service = compose()["services"][name]
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    given = dict(pair.split("=", 1) for pair in service["command"][1:] if "=" in pair)
    assert service["ports"][0].endswith(given["--port"])


def test_command_of_the_unit_is_ours():
    unit = (DEPLOY / "lit_al-page.service").read_text()
    [line] = re.findall(r"^ExecStart=(.*)$", unit, re.MULTILINE)
    program, *words = shlex.split(line)
    assert program.endswith("/lit-al")
    parse(COMMANDS, words)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_unit_is_one_of_systemd(tmp_path):
    unit = tmp_path / "lit_al-page.service"
    unit.write_text(re.sub("/opt/lit_al/bin/lit-al", sys.executable, (DEPLOY / "lit_al-page.service").read_text()))
    done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_workflow_runs_what_ci_runs():
    jobs = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())["jobs"]
    commands = [step.get("run", "") for job in jobs.values() for step in job["steps"]]
    assert any(".ci/run" in command for command in commands)
    for command in commands:
        for path in re.findall(r"[\w./-]+/[\w./-]+", command):
            assert (ROOT / path).exists(), path


def test_citation_is_of_this_version_and_licence():
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert {"cff-version", "message", "title", "authors"} <= cited.keys()
    assert (cited["version"], cited["license"]) == (PROJECT["version"], PROJECT["license"])


@pytest.mark.parametrize("name", ["CONTRIBUTING.md", "SECURITY.md"])
def test_links_of_what_the_hub_shows_lead_somewhere(name):
    path = ROOT / ".github" / name
    for target in re.findall(r"\]\(([^)#]+)", path.read_text()):
        assert (path.parent / target).exists(), target


def test_site_is_built_without_a_warning(tmp_path):
    pytest.importorskip("mkdocs")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-f", "deploy/mkdocs.yml", "-d", tmp_path / "site"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "site" / "api" / "index.html").read_text()
    assert "lit_al.TextClassifier" in page
    assert "&gt;&gt;&gt; " in page or "gp" in page
    first = (tmp_path / "site" / "index.html").read_text()
    assert not re.search(r"(?:src|href)=\"https?://[^\"]*\.(?:js|css|woff2?)", first)


def test_every_page_of_the_documentation_is_in_the_site():
    pages = {path.name for path in (ROOT / "docs").glob("*.md")}
    named = set(re.findall(r": ([\w-]+\.md)$", (DEPLOY / "mkdocs.yml").read_text(), re.MULTILINE))
    assert pages == named - {"index.md", "changes.md"}
