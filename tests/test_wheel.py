"""The wheel: what it holds, and that the package works from it where there is no repository."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from lit_al.cli.commands import COMMANDS

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "lit_al"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", folder, ROOT]
    subprocess.run(command, check=True, capture_output=True)
    [path] = folder.glob("*.whl")
    return path


def test_wheel_holds_the_package_whole_and_nothing_else(wheel):
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    files = (path for path in PACKAGE.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    assert names == {str(path.relative_to(ROOT)) for path in files}


def test_wheel_brings_the_command_and_the_licence(wheel):
    names = zipfile.ZipFile(wheel)
    [points] = [names.read(name).decode() for name in names.namelist() if name.endswith("entry_points.txt")]
    assert "lit-al = lit_al.cli.main:main" in points
    assert any(name.endswith("LICENSE") for name in names.namelist())


def test_commands_run_from_the_wheel_alone(wheel, tmp_path):
    """Its files unpacked elsewhere and first on the path; the packages that it needs are those of this environment."""
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    data = tmp_path / "mails.csv"
    data.write_text("text,label\n" + "win cash free,spam\nlunch tomorrow then,ham\n" * 30)

    def run(*words):
        code = "import sys, lit_al.cli.main as main; print(main.__file__); sys.exit(main.main())"
        done = subprocess.run(
            [sys.executable, "-c", code, *map(str, words)],
            cwd=tmp_path, env={"PYTHONPATH": str(tmp_path / "site"), "HOME": str(tmp_path), "PATH": ""},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith(str(tmp_path / "site"))
        return done.stdout

    assert all(name in run("--help") for name in COMMANDS)
    for name in COMMANDS:
        run(name, "--help")
    run("fit", data, "--to", "model", "--recipe", "scratch", "--folds", "2", "--copies", "none")
    assert "spam" in run("predict", "model", "free cash")
    assert (tmp_path / "model" / "report.html").is_file()
