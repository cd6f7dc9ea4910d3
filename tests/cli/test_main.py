import io
import json
import re
import subprocess
import sys
import time
from dataclasses import fields
from importlib import import_module
from pathlib import Path

import lightning as L
import pytest

from lit_al.benchmark.bench_config import BenchConfig
from lit_al.cli import main
from lit_al.cli.command_line import parse
from lit_al.cli.commands import COMMANDS
from lit_al.exchange.file_options import ImportOptions
from lit_al.models.lit_bilstm import LitBiLSTM
from lit_al.strategies import STRATEGIES, WRAPPERS
from lit_al.text.encoder import TextEncoder

ROOT = Path(__file__).parents[2]
LEAN = ["--protocol", "lean", "--recipe"]


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory):
    """A run's folder with the checkpoint of a small untrained model."""
    encoder = TextEncoder.fit(["a good film", "a bad film"], vocabulary_size=6, max_length=4)
    model = LitBiLSTM(("bad", "good"), encoder.state_dict(), embedding_size=4, hidden_size=2)
    folder = tmp_path_factory.mktemp("run")
    trainer = L.Trainer(logger=False, enable_progress_bar=False, max_steps=0, accelerator="cpu")
    trainer.strategy.connect(model)
    trainer.save_checkpoint(folder / "checkpoints" / "best.ckpt", weights_only=True)
    return folder


def test_predict_prints_class_and_probability(run_folder, capsys):
    assert main.main(["predict", "--checkpoint", str(run_folder), "a good film", "tab\tinside"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    label, probability, text = lines[0].split("\t")
    assert label in ("bad", "good")
    assert 0.5 <= float(probability) <= 1
    assert text == "a good film"


def test_predict_json_holds_every_class(run_folder, capsys):
    checkpoint = str(run_folder / "checkpoints" / "best.ckpt")
    assert main.main(["predict", "--checkpoint", checkpoint, "--json", "ein schöner Film"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["text"] == "ein schöner Film"
    assert found["probabilities"].keys() == {"bad", "good"}
    assert sum(found["probabilities"].values()) == pytest.approx(1)
    assert found["probability"] == max(found["probabilities"].values())


def test_predict_reads_files_and_standard_input(run_folder, capsys, tmp_path, monkeypatch):
    (tmp_path / "texts.txt").write_text("first\n\nthird\n", encoding="utf-8")
    assert main.main(["predict", "--checkpoint", str(run_folder), "--file", str(tmp_path / "texts.txt")]) == 0
    from_file = capsys.readouterr().out
    monkeypatch.setattr("sys.stdin", io.StringIO("first\n\nthird\n"))
    assert main.main(["predict", "--checkpoint", str(run_folder)]) == 0
    assert capsys.readouterr().out == from_file
    assert [line.split("\t")[2] for line in from_file.splitlines()] == ["first", "", "third"]


def test_predict_refuses_in_one_sentence(run_folder, capsys, tmp_path):
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9\n")
    for arguments, words in [
        (["--checkpoint", str(tmp_path / "none.ckpt"), "x"], "cannot be read: No such file"),
        (["--checkpoint", str(tmp_path), "x"], "holds no checkpoints/best.ckpt"),
        (["--checkpoint", str(run_folder), "--file", str(tmp_path / "none.txt")], "none.txt cannot be read"),
        (["--checkpoint", str(run_folder), "--file", str(tmp_path / "latin.txt")], "not UTF-8 at byte 3"),
        (["--checkpoint", str(run_folder), "caf\udce9 good"], "not UTF-8 at character 3"),
    ]:
        assert main.main(["predict", *arguments]) == 2
        printed = capsys.readouterr().err
        assert words in printed
        assert printed.count("\n") == 1


def test_train_refuses_in_one_sentence(capsys, tmp_path):
    (tmp_path / "one.csv").write_text("text,label\n" + "good,1\n" * 50)
    for arguments, words in [
        (["--mode", "sideways"], "--mode sideways does not fit; it takes active, full, compare"),
        (["--data", str(tmp_path / "none.csv")], "none.csv"),
        (["--data", str(tmp_path / "one.csv")], "class"),
        (["--data", "demo", "--demo-rows", "100", "--accelerator", "abacus", "--log-dir", str(tmp_path)], "abacus"),
        (["--strategy", "entrpy"], "did you mean 'entropy'?"),
        (["--strategy", "entropy+random:2"], "random share 2 must lie above 0"),
        (["--committee-size", "1"], "--committee-size 1 must be 2 or more"),
        (["--recipe", "lean"], "--recipe has no use with --protocol keras: a fit learns from the labels alone"),
        (
            ["--data", "demo", "--demo-rows", "300", *LEAN, "nonsense"],
            "recipe 'nonsense' is not one of scratch and lean",
        ),
        (["--data", "demo", "--demo-rows", "300", *LEAN, "lean+magic"], "the parts are vectors, pretrain, teacher"),
        (["--data", "demo", "--demo-rows", "100", "--kernel", "x", "--log-dir", str(tmp_path)], "kernel"),
    ]:
        assert main.main(["train", *arguments]) == 2
        printed = capsys.readouterr().err
        assert printed.startswith("error: ")
        assert words in printed
        assert printed.count("\n") == 1, printed


def test_three_hundred_texts_of_three_classes_are_learned_from_with_a_word_of_warning(
    make_corpus, capsys, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    corpus = make_corpus(300, ("negative", "neutral", "positive"))
    lines = [f"{text},{corpus.classes[label]}" for text, label in zip(corpus.texts, corpus.labels, strict=True)]
    (tmp_path / "three.csv").write_text("\n".join(["text,label", *lines]))
    sizes = ["--initial-size", "30", "--query-size", "20", "--rounds", "1", "--study-steps", "4", "--max-length", "15"]
    more = ["--data", "three.csv", "--accelerator", "cpu", "--name", "three", "--log-dir", str(tmp_path), *sizes]
    assert main.main(["train", *LEAN, "lean", *more]) == 0
    printed = capsys.readouterr().out
    assert "270 texts teach little without labels" in printed
    results = json.loads((tmp_path / "three" / "results.json").read_text())
    assert results["status"] == "finished"
    assert results["recipe"]["teacher"]
    assert [entry["labels"] for entry in results["rounds"]] == [30, 50]
    assert set(results["rounds"][1]["taken"]) == set(corpus.classes)
    fitted = sum(entry["fit_seconds"] for entry in results["rounds"])
    assert results["train_samples_per_second"] == pytest.approx(
        (4 + 6) * 128 / fitted, rel=0.05
    )  # 6: 50 labels, sixteen times
    assert (
        main.main(["predict", "--checkpoint", str(tmp_path / "three"), "--json", "great"]) == 0
    )  # without the teacher
    assert set(json.loads(capsys.readouterr().out)["probabilities"]) == set(corpus.classes)


def test_list_strategies_prints_a_line_each_name_first(capsys):
    with pytest.raises(SystemExit) as stop:
        main.main(["train", "--list-strategies"])
    assert not stop.value.code
    lines = capsys.readouterr().out.splitlines()
    names = [line.split()[0] for line in lines[:-1]]
    assert set(STRATEGIES) <= set(names)
    assert names[-len(WRAPPERS) :] == [f"…+{name}" for name in WRAPPERS]


def test_help_names_every_command_in_a_line(capsys):
    assert main.main(["--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines if line.startswith("  ")] == list(COMMANDS)
    assert all(len(line) < 100 for line in lines)


@pytest.mark.parametrize("name", COMMANDS)
def test_help_shows_every_option_in_its_group_with_its_default(name, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "1000")
    with pytest.raises(SystemExit) as stop:
        main.main([name, "--help"])
    assert stop.value.code == 0
    printed = " ".join(capsys.readouterr().out.split())
    module, kind = COMMANDS[name].options.split(":")
    for item in fields(getattr(import_module(f"lit_al.{module}"), kind)):
        assert f"{item.metadata['group']}: " in printed
        assert " ".join(item.metadata["help"].split()) in printed
        if not item.metadata["positional"]:
            assert re.search(rf" --(no-)?{item.name.replace('_', '-')} ", printed)
        if isinstance(item.default, int | float) and not isinstance(item.default, bool):
            assert f"{item.metadata['help']} (default: {item.default})" in printed


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["train", "--rounds"], "--rounds: expected one argument; --help lists the options"),
        (["train", "--drop-duplicates=3"], "--drop-duplicates: ignored explicit argument '3'; --help lists"),
        (
            ["benchmark", "--budgets", "ten"],
            "--budgets ten does not fit; it takes whole numbers with commas, as in 100",
        ),
        (
            ["benchmark", "--targets", "0.9,x"],
            "--targets 0.9,x does not fit; it takes numbers with commas, as in 0.86,0.9",
        ),
        (["benchmark", "--oracle-skip", "half"], "--oracle-skip half does not fit; it takes a number"),
        (["annotate", "--port", "x"], "--port x does not fit; it takes a whole number"),
        (["annotate", "--no-brwser"], "there is no option --no-brwser; did you mean '--no-browser'?"),
        (["label", "a", "b"], "'b' is one word too many; put several words in quotes"),
        (["label", "a", "--data", "demo"], "give RUN, --run or --data, not two of them"),
        (["predict", "--json"], "the following arguments are required: MODEL; --help"),
        (["predict", "--checkpoint", "x", "--file", "y", "z"], "give texts or --file, not both"),
        (["import"], "the following arguments are required: RUN, FILE; --help"),
        (["import", "run", "--dry-run"], "the following arguments are required: FILE; --help"),
        (["explain", "run", "--top", "0"], "--top 0 must be 1 or more"),
        (["export", "run", "--to", "x", "--format", "cvs"], "--format cvs does not fit; it takes csv, jsonl"),
    ],
)
def test_words_that_do_not_fit_are_a_sentence(words, said, capsys):
    assert main.main(words) == 2
    printed = capsys.readouterr().err
    assert printed.startswith(f"error: {said}")
    assert printed.count("\n") == 1


def test_beginnings_of_options_and_words_between_them_are_understood():
    asked = parse(COMMANDS, ["import", "run", "--annot", "ann", "--dry", "file.csv"])
    assert asked == ImportOptions(Path("run"), Path("file.csv"), annotator="ann", dry_run=True)
    asked = parse(COMMANDS, ["label", "--annotator=null", "--guidelines", "null", "run"])
    assert (asked.annotator, asked.guidelines, asked.run) == ("null", Path("null"), Path("run"))
    texts = ("null", "[1, 2]", "{a: 1}", "1e3", "", "-5", "--weird")
    assert parse(COMMANDS, ["predict", "--checkpoint", "x", "--", *texts]).words == texts


def test_a_benchmark_takes_a_file_of_settings_as_it_prints_one(tmp_path, capsys):
    with pytest.raises(SystemExit):
        main.main(["benchmark", "--budgets", "10,20", "--strategies", "random", "--drop-dup", "--print-config"])
    (tmp_path / "bench.yaml").write_text(capsys.readouterr().out)
    expected = BenchConfig(budgets=(10, 20), strategies=("random",), drop_duplicates=True, seeds=2)
    assert parse(COMMANDS, ["benchmark", "--config", str(tmp_path / "bench.yaml"), "--seeds", "2"]) == expected
    for text, words in [("budgets: 5\n", "--budgets"), ("budgets: [1, x]\n", "--budgets"), ("seed: 5\n", "'seeds'")]:
        (tmp_path / "bench.yaml").write_text(text)
        assert main.main(["benchmark", "--config", str(tmp_path / "bench.yaml")]) == 2
        printed = capsys.readouterr().err
        assert words in printed
        assert printed.count("\n") == 1


@pytest.mark.parametrize("arguments", [[], ["dance"]])
def test_main_without_a_command_says_which_there_are(arguments, capsys):
    assert main.main(arguments) == 2
    assert ("--help" if arguments else "train") in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["trian"], "there is no command 'trian'; did you mean 'train'?"),
        (["predict", "--chekpoint", "x"], "there is no option --chekpoint; did you mean '--checkpoint'?"),
        (["benchmark", "--judge", "tst"], "--judge tst does not fit; did you mean 'test'?"),
        (["benchmark", "--strategies", "wram/random"], "trains in no known way; did you mean 'warm'?"),
        (["benchmark", "--data", "few.csv", "--text-column", "contnt"], "no column 'contnt'; did you mean 'content'?"),
        (["train", "--protocl=lean"], "there is no option --protocl; did you mean '--protocol'?"),
        (["train", "--data", "demp"], "did you mean 'demo'? --data takes imdb, demo"),
        (["train", "--data", "fw.csv"], "did you mean 'few.csv'?"),
        (["train", "--protocol", "lean", "--recipe", "lean+teecher"], "did you mean 'teacher'?"),
        (
            ["annotate", "--data", "few.csv", "--labels", "good,badd"],
            "one of the labels; did you mean 'badd'?",
        ),
        (["annotate", "--dta", "few.csv"], "there is no option --dta; did you mean '--data'?"),
        (["label", "--cold-start", "knn"], "it takes random, typicality, kmeans"),
        (["export", "run", "--formt", "csv", "--to", "x.csv"], "there is no option --formt; did you mean '--format'?"),
        (["explain", "run", "--rond", "3"], "there is no option --rond; did you mean '--round'?"),
    ],
)
def test_misspelled_words_are_asked_after_and_leave_nothing_behind(words, meant, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "few.csv").write_text("content,label\n" + "fine,good\npoor,bad\n" * 30)
    assert main.main(words) == 2
    printed = capsys.readouterr().err
    assert meant in printed
    assert printed.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["few.csv"]


@pytest.mark.parametrize(
    ("option", "value"),
    [("--accelerator", "abacus"), ("--kernel", "x"), ("--precision", "3"), ("--data", "nowhere.csv")],
)
def test_a_start_that_fails_leaves_no_folder(option, value, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    given = {"--data": "demo", "--demo-rows": "100", option: value}
    assert main.main(["train", *(word for pair in given.items() for word in pair)]) == 2
    assert capsys.readouterr().err.startswith("error: ")
    assert list(tmp_path.glob("*/*")) == []


def test_export_into_a_folder_that_is_not_there_says_so(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.stdin", io.StringIO("1\nq\n"))
    assert main.main(["label", "--data", "demo", "--demo-rows", "20", "--no-training"]) == 0  # labels that the data has
    assert main.main(["export", "lightning_logs/demo", "--to", "missing/folder/x.csv"]) == 2
    printed = capsys.readouterr().err
    assert (
        "missing/folder/x.csv cannot be written: No such file or directory; make the folder missing/folder" in printed
    )
    assert not (tmp_path / "missing").exists()


@pytest.mark.parametrize("record", ['{"text": "a", "label": "\\ud800"}', '{"text": "\\ud800", "label": "b"}'])
def test_half_a_surrogate_pair_is_refused_in_one_sentence(record, tmp_path, capsys):
    (tmp_path / "half.jsonl").write_text('{"text": "x", "label": "a"}\n{"text": "y", "label": "b"}\n' + record)
    assert main.main(["train", "--data", str(tmp_path / "half.jsonl"), "--log-dir", str(tmp_path)]) == 2
    printed = capsys.readouterr().err
    assert "half a surrogate pair" in printed
    assert printed.count("\n") == 1


@pytest.mark.parametrize("words", [[], *([name] for name in COMMANDS)], ids=lambda words: "".join(words) or "lit-al")
def test_help_loads_nothing_heavy(words):
    code = (
        "import sys\n"
        "from lit_al.cli.main import main\n"
        "try: main([*sys.argv[1:], '--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'lightning', 'numpy', 'matplotlib', 'datasets', 'numba', 'pyarrow'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "usage: lit-al" in done.stdout


def test_help_answers_at_once():
    seconds = []
    for _ in range(3):
        began = time.perf_counter()
        subprocess.run([sys.executable, "scripts/train.py", "--help"], cwd=ROOT, check=True, capture_output=True)
        seconds.append(time.perf_counter() - began)
    assert min(seconds) < 10  # a guard against loading torch; benchmarks hold the real figure


def test_broken_pipe_is_silent(run_folder, tmp_path):
    (tmp_path / "many.txt").write_text("a good film\n" * 20_000)
    command = f"{sys.executable} scripts/predict.py --checkpoint {run_folder} --file {tmp_path / 'many.txt'} | head -1"
    done = subprocess.run(command, shell=True, cwd=ROOT, capture_output=True, text=True, check=False)
    assert len(done.stdout.splitlines()) == 1
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("words", [["--help"], ["fit", "--help"]])
def test_a_reader_that_has_seen_enough_ends_it_without_a_traceback(words):
    code = "import sys; from lit_al.cli.main import main; sys.exit(main(sys.argv[1:]))"
    with subprocess.Popen(
        [sys.executable, "-c", code, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdout.close()
        said = process.stderr.read().decode()
    assert "Traceback" not in said
    assert process.returncode != 1
