"""What users' data and models say reaches a terminal as signs, and does nothing there."""

import ast
import io
import json
import sys
import unicodedata
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

import lit_al
from lit_al.cli import main
from lit_al.criteria import read_criteria
from lit_al.data import Corpus
from lit_al.delivery.baseline import Differing, PairedComparison
from lit_al.delivery.gate import Judgement, Ruling
from lit_al.delivery.gate_console import show
from lit_al.exchange.table_files import table_on_screen
from lit_al.loop.query import Query
from lit_al.loop.rounds import Round, Seconds
from lit_al.metrics import Confusion, Evaluation
from lit_al.record import Action, Item, NewEvent, Record, sha256_of
from lit_al.reporting.fit_console import FitWords
from lit_al.strategies import Choice
from lit_al.utils.terminal_text import markup, plain, say

TURNING = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
# ESC as CSI and OSC, BEL, backspace, carriage return, DEL, C1's CSI, signs that turn the order around, rich's marks
EVIL = f"x\x1b[2J\x1b]0;title\x07\b\rgone\x7f\x9b31m{TURNING}[red]y[/red]"
CLASSES = ("good", EVIL)
PACKAGE = Path(lit_al.__file__).parent


def bad_signs(shown):
    return {sign for sign in shown if unicodedata.category(sign) in ("Cc", "Cs") or sign in TURNING} - {"\n"}


def check(shown, times=1):
    """The name is there, its signs but no deeds."""
    assert not bad_signs(shown)
    assert "".join(shown.split()).count("[red]y[/red]") >= times, shown


@given(st.text(alphabet=st.characters(), max_size=40))
def test_no_text_whatever_steers_a_terminal(text):
    shown = plain(text)
    assert not bad_signs(shown)
    assert "\n" not in shown
    assert not bad_signs(plain(text, lines=True)) - {"\t"}
    shown.encode()  # can be printed
    assert len(shown) == len(text)
    assert plain(shown) == shown


@given(st.text(alphabet=st.characters(), max_size=40))
def test_rich_prints_a_name_as_it_is_and_reads_no_marks_in_it(text):
    file = io.StringIO()
    text += "."  # rich writes a stroke at the very end twice
    Console(file=file, width=10_000).print(markup(text), soft_wrap=True, highlight=False, emoji=False, end="")
    assert file.getvalue() == plain(text)


def test_letters_of_every_script_are_kept():
    text = "naïve 日本 שלום 👩‍👧 é é ﷽"
    assert plain(text) == markup(text) == text
    assert plain("a\n\tb", lines=True) == "a\n\tb"


# --- Every place ------------------------------------------------------------------------------------------------------


@pytest.fixture
def run(tmp_path):
    """A run whose labels, annotators, texts, guidelines and model's words are hostile."""
    folder = tmp_path / "run"
    folder.mkdir()
    with Record.create(folder / "record.sqlite", CLASSES, settings={"show_suggestions": True}, guidelines=EVIL) as made:
        made.add_items(Item(row, sha256_of(EVIL + str(row)), EVIL + str(row)) for row in range(4))
        for row in (0, 1):
            made.append(NewEvent(f"ann-uuid-{row}", row, "ann", Action.LABEL, label=CLASSES[row]))
    return folder


def test_errors(capsys, tmp_path):
    assert main.main(["agreement", str(tmp_path / EVIL)]) == 2
    shown = capsys.readouterr().err
    check(shown)
    assert shown.count("\n") == 1


def test_agreement(run, capsys):
    with Record.open(run) as record:
        record.append(NewEvent("bob-uuid", 0, f"bob {EVIL}", Action.LABEL, label="good"))
    assert main.main(["agreement", str(run)]) == 0
    check(capsys.readouterr().out)


def test_export_and_import(run, tmp_path, capsys):
    file = tmp_path / f"{EVIL.replace('/', '')}.jsonl"
    assert main.main(["export", str(run), "--to", str(file)]) == 0
    assert not bad_signs(capsys.readouterr().out)
    assert main.main(["export", str(run), "--to", str(tmp_path / "all.jsonl"), "--format", "events"]) == 0
    assert main.main(["import", str(run), str(tmp_path / "all.jsonl"), "--dry-run"]) == 0
    assert not bad_signs(capsys.readouterr().out)
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    file.write_text(json.dumps({**rows[0], "label": EVIL + "?"}) + "\n")
    assert main.main(["import", str(run), str(file)]) == 2
    assert not bad_signs(capsys.readouterr().err)


def test_recover(run, tmp_path, capsys):
    evil = run.rename(tmp_path / EVIL.replace("/", ""))
    with Record.open(evil) as record:
        record.backup()
    (evil / "record.sqlite").write_bytes(b"")
    assert main.main(["recover", str(evil)]) == 0
    assert not bad_signs(capsys.readouterr().out)


def test_predict(monkeypatch, tmp_path, capsys):
    from lit_al.models.prediction import Prediction

    said = Prediction(EVIL, 0.9, {EVIL: 0.9, "good": 0.1})
    monkeypatch.setattr("lit_al.models.checkpoint.load_frozen", lambda path: None)
    monkeypatch.setattr("lit_al.models.prediction.classify", lambda model, texts: (said for _ in texts))
    assert main.main(["predict", "--checkpoint", str(tmp_path / "x.ckpt"), EVIL + "\n"]) == 0
    shown = capsys.readouterr().out
    check(shown.replace("\t", " "), 2)
    assert (shown.count("\t"), shown.count("\n")) == (2, 1)
    assert main.main(["predict", "--json", "--checkpoint", str(tmp_path / "x.ckpt"), EVIL + "\n"]) == 0
    shown = capsys.readouterr().out
    check(shown, 3)
    assert json.loads(shown)["text"] == EVIL + "\n"  # nothing is lost
    assert json.loads(shown)["label"] == EVIL


def test_explain(monkeypatch, tmp_path, capsys):
    from lit_al.experiment import explain
    from lit_al.reporting.queries import Pick

    pick = Pick(1, 0, EVIL, EVIL, {EVIL: 0.9, "good": 0.1}, 1.0, f"because {EVIL}", False)
    rounds = [{"round": 1, "strategy": EVIL, "warning": EVIL}]
    results = {"data": {"classes": CLASSES, "source": EVIL, "fingerprint": "other"}, "rounds": rounds}
    monkeypatch.setattr(explain, "read_results", lambda folder: results)
    monkeypatch.setattr(explain, "read_picks", lambda folder: [pick])
    monkeypatch.setattr(explain, "_corpus", lambda folder, results: (Corpus([EVIL], np.array([1]), CLASSES), EVIL))
    assert main.main(["explain", str(tmp_path)]) == 0
    check(capsys.readouterr().out, 9)


def test_label(run):
    from lit_al.annotate.project_options import LabelOptions
    from lit_al.annotate.terminal import label
    from lit_al.record import NewGeneration, OwnerLock, Ranked

    with Record.open(run) as record:
        thought = {EVIL: 0.9, "good": 0.1}
        record.publish(NewGeneration(1, EVIL, 0), [Ranked(row, 1.0, EVIL, thought) for row in (2, 3)])
        record.set_state("settings", {})
    out, keys = io.StringIO(), iter(["h", "2", "u", "x", "2", "q"])
    with OwnerLock(run, EVIL):
        label(
            LabelOptions(run=run, annotator="ann", training=False),
            Console(file=out, width=200),
            lambda prompt: next(keys),
        )
    check(out.getvalue(), 8)
    assert f"saved 3: {plain(EVIL)}" in out.getvalue()


def test_label_says_what_the_model_thought(tmp_path, run):
    from lit_al.annotate.service import LabelingService
    from lit_al.annotate.terminal import Session

    out = io.StringIO()
    with Record.open(run) as record:
        service = LabelingService(record, EVIL)
        service.shows = False
        session = Session(service, "ann", Console(file=out, width=200), input)
        session._thought(SimpleNamespace(predicted=EVIL, probability=0.5))
    check(out.getvalue())


def test_annotate_and_its_troubles(monkeypatch, run, capsys):
    from lit_al.annotate import background, start

    monkeypatch.setattr(start, "annotate", lambda options, say: say(EVIL))
    assert main.main(["annotate", "--run", str(run)]) == 0
    check(capsys.readouterr().out)
    with Record.open(run) as record:
        (run / "record.sqlite").rename(run / "away")
        background._failed(record, Exception(EVIL))
        check(capsys.readouterr().err)
        (run / "away").rename(run / "record.sqlite")


def test_the_servers_terminal(run, capsys, monkeypatch):
    pytest.importorskip("starlette", reason="the page needs starlette: pip install 'lit_al[annotate]'")
    from lit_al.annotate.app import _Pages
    from lit_al.annotate.service import LabelingService
    from lit_al.exceptions import StoreError

    with Record.open(run) as record:
        pages = _Pages(LabelingService(record, EVIL))
        assert pages._unavailable(None, StoreError(EVIL)).status_code == 503
    check(capsys.readouterr().err)


def report():
    from lit_al.reporting.console import RunConsole

    file = io.StringIO()
    return RunConsole(Console(file=file, width=400), CLASSES), file


def judged():
    return Evaluation(0.5, Confusion(np.array([[3, 1], [1, 3]])))


def a_query():
    choice = Choice(np.arange(2), np.zeros(2), (EVIL, EVIL), np.array([True, False]), shares=(0.5, 0.5))
    return Query(1, EVIL, choice, np.eye(2, dtype=np.float32), answers=np.array([0, 1]))


def test_report_of_a_run():
    from lit_al.data import PartDuplicates
    from lit_al.data.split import Split

    said, file = report()
    corpus = Corpus([EVIL] * 4, np.array([0, 1, 0, 1]), CLASSES, source=EVIL, notes=(EVIL,))
    split = Split(*(np.array([row]) for row in (0, 1)), pool=np.array([2]), rounds=[np.array([3])])
    said.data(corpus, split, {part: PartDuplicates(1, 0, {}, 0) for part in split.parts})
    check(file.getvalue(), 3)
    said.round(Round(a_query(), 4, Seconds(1.0), warning=EVIL, steering=judged()), "validation")
    said.page(Path(EVIL))
    check(file.getvalue(), 8)


def test_report_of_more_classes_and_of_generated_texts():
    from lit_al.reporting.console import RunConsole

    file = io.StringIO()
    said = RunConsole(Console(file=file, width=400), (*CLASSES, "third"))
    said.test(Evaluation(0.5, Confusion(np.eye(3, dtype=np.int64))))
    said.demo_banner(SimpleNamespace(is_demo=True, source=EVIL))
    check(file.getvalue(), 2)


def test_report_of_a_lean_run():
    from lit_al.experiment.lean_console import LeanWords
    from lit_al.oracles import Bill

    said, file = report()
    words = LeanWords(said, SimpleNamespace(validation=None, follows="controls"))
    words.round(Round(a_query(), 4, Seconds(1, 0, 1, 1), 4, EVIL, needed=9, test=judged()))
    words.end(EVIL, [{"sentence": EVIL}], Bill())
    words.waiting(EVIL)
    check(file.getvalue(), 7)


def test_fit(tmp_path):
    file = io.StringIO()
    words = FitWords(Console(file=file, width=400))
    words.begin(Corpus(["a", "b"], np.array([0, 1]), (EVIL, "good"), EVIL, notes=(EVIL,)), (EVIL,))
    found = {"macro_f1_low": 0.1, "macro_f1_high": 0.9, "drawn": {"rows": 8, "accuracy": 0.9, "low": 0.5, "high": 1.0}}
    words.learned(EVIL, (EVIL,))
    data = {"classes": [EVIL, "good"]}
    results = {"data": data, "cross_validation": found, "flaws": [EVIL], "folds": 2}
    judged = Evaluation(0.1, Confusion(np.array([[3, 1], [0, 4]])))
    words.end(results, judged, EVIL, tmp_path / EVIL.replace("/", "") / "x")
    check(file.getvalue(), 10)


def test_gate():
    file = io.StringIO()
    [criterion] = read_criteria("accuracy>=0.9")
    texts = (Differing(EVIL, EVIL, "good", EVIL),)
    comparison = PairedComparison(2, 1, 1, 0, texts)
    ruling = Ruling(criterion, 0.5, 0.1, 0.9, holds=False, rows=4)
    show(Judgement(EVIL, EVIL, 4, (ruling,), False, comparison, (EVIL,)), Console(file=file, width=400))
    check(file.getvalue(), 5)


def test_table_on_a_terminal(monkeypatch, capsys):
    for is_terminal in (True, False):
        monkeypatch.setattr(sys.stdout, "isatty", lambda is_terminal=is_terminal: is_terminal, raising=False)
        for as_json in (True, False):
            with table_on_screen(["text", EVIL], as_json=as_json) as write:
                write([[EVIL], [EVIL]])
            shown = capsys.readouterr().out
            assert bool(bad_signs(shown)) is not is_terminal
            assert not is_terminal or check(shown, 3) is None


def test_run_tells():
    from lit_al.experiment.session import _teller

    file = io.StringIO()
    _teller(Console(file=file, width=400))(EVIL)
    check(file.getvalue())


# --- And no other place -----------------------------------------------------------------------------------------------

FIXED = {
    "cli/main": ["overview(COMMANDS)"],
    "annotate/terminal": ["prompt", ""],
    "utils/terminal_text": ["plain(text)"],
}  # what is printed otherwise
CONSOLES = {
    "annotate/terminal", "benchmark/runner", "delivery/drift_console", "delivery/gate_console",
    "delivery/version_console", "experiment/example_session", "experiment/final_fit",
    "experiment/lean_console", "experiment/lean_session", "experiment/run_session", "experiment/session",
    "reporting/console", "reporting/fit_console",
}  # fmt: skip


def calls():
    """Calls of `print`, by module, with what is printed."""
    for path in sorted(PACKAGE.rglob("*.py")):
        module = str(path.relative_to(PACKAGE).with_suffix(""))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                yield module, node, ast.unparse(node.func)


def test_package_prints_by_say_alone():
    found = {}
    for module, call, name in calls():
        if name == "print":
            found.setdefault(module, []).extend(ast.unparse(part) for part in call.args or [ast.Constant("")])
    [line] = found.pop("cli/commands")
    assert line.count("plain(") == 2
    assert {module: [one.strip("'") for one in printed] for module, printed in found.items()} == FIXED


def test_consoles_are_where_the_tests_above_look():
    assert {module for module, _, name in calls() if name.endswith("console.print")} == CONSOLES


def test_say_prints_one_line(capsys):
    say("a\nb\x1b")
    assert capsys.readouterr().out == "a b�\n"
