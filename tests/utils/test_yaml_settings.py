"""Settings in YAML: what costs more than it is long, or is no YAML, is refused in one sentence."""

import pytest
import yaml

from lit_al.benchmark.runner import BenchConfig, run_benchmark
from lit_al.cli import main
from lit_al.exceptions import ConfigError
from lit_al.utils.yaml_settings import LONGEST, read_settings

LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (LAUGHS.encode(), "line 2 has an alias"),
        ("name: café".encode("latin-1"), "is not UTF-8: byte 0xe9 at offset 9; save it as UTF-8"),
        ("name: x".encode("utf-16"), "is not UTF-8: byte 0xff at offset 0"),
        (b"name: [", "is no YAML of settings"),
        (b"[" * 5_000, "is no YAML of settings"),
        (b"a: !!python/object/apply:os.system [ls]", "is no YAML of settings"),
        (b"- 1\n- 2\n", "holds no settings"),
        (b"", "holds no settings"),
        (b"config: other.yaml", "names another file of them"),
        (b"# " + b"x" * LONGEST, "is longer than"),
        (b"stratgy: margin", "--config holds stratgy, which is no setting; did you mean 'strategy'?"),
    ],
)
def test_settings_that_cannot_be_are_refused_in_one_sentence(content, words, tmp_path, capsys):
    (tmp_path / "c.yaml").write_bytes(content)
    assert main.main(["train", "--config", str(tmp_path / "c.yaml")]) == 2
    printed = capsys.readouterr().err
    assert printed.startswith("error: --config")
    assert words in printed
    assert printed.count("\n") == 1


def test_settings_of_a_benchmark_are_read_by_the_same_rules(tmp_path):
    (tmp_path / "benchmark").mkdir()
    (tmp_path / "benchmark" / "benchmark.yaml").write_text(LAUGHS)
    with pytest.raises(ConfigError, match="has an alias"):
        run_benchmark(BenchConfig(log_dir=str(tmp_path)), None)


def test_what_is_written_is_read(tmp_path):
    given = {"seed": 1, "strategy": "margin", "names": ["é", "b"], "none": None}
    (tmp_path / "c.yaml").write_text(yaml.safe_dump(given, allow_unicode=True), encoding="utf-8")
    assert read_settings(tmp_path / "c.yaml") == given
