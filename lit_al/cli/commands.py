"""The commands of `lit-al`. A new one is a function here, a row in `COMMANDS`, and a dataclass of its options.

A function is given its options checked, and imports what it needs only now, so that `--help` answers at once. Its
docstring is what `--help` says of it.
"""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from importlib.util import find_spec
from itertools import tee
from typing import TYPE_CHECKING

from lit_al.cli.command_line import Command
from lit_al.exceptions import ConfigError, StoreError
from lit_al.utils.silence import quiet
from lit_al.utils.terminal_text import plain, say

if TYPE_CHECKING:
    from lit_al.annotate.managing import ProjectOptions
    from lit_al.annotate.project_options import AnnotateOptions, LabelOptions
    from lit_al.annotate.report_options import ReportOptions
    from lit_al.benchmark.bench_config import BenchConfig
    from lit_al.data.tables import Reading
    from lit_al.delivery.delivery_options import ExportModelOptions, GateOptions, ModelsOptions
    from lit_al.delivery.drift_options import DriftOptions
    from lit_al.exchange.classified import Wanted
    from lit_al.exchange.file_options import ExportOptions, ImportOptions
    from lit_al.experiment.config import ExplainOptions, TrainConfig
    from lit_al.experiment.fit_options import FitOptions, SuspectsOptions
    from lit_al.experiment.resume import Resume
    from lit_al.models.classifier import Classifier
    from lit_al.models.named_model import FoundModel
    from lit_al.models.request import PredictOptions
    from lit_al.record import Record
    from lit_al.serving.serve_options import ServeOptions
    from lit_al.utils.options import RunOptions


def train(asked: "TrainConfig | Resume") -> None:
    """Train a text classifier, labeling its training texts round by round."""
    from lit_al.experiment.resume import Resume

    if isinstance(asked, Resume):
        _go_on(asked)
        return
    if not asked.must_look:
        asked.resolved()  # what cannot work is refused at once
    from lit_al.experiment.session import run

    quiet()
    run(asked)


def fit(asked: "FitOptions") -> None:
    """Learn the best model from all labels of a run or a file, and say how good it is."""
    from lit_al.experiment.final_fit import final_fit

    quiet()
    final_fit(asked)


def suspects(asked: "SuspectsOptions") -> None:
    """Name the labels of a run or a file that may be wrong, the likeliest first."""
    from rich import get_console

    from lit_al.experiment.suspects import find_suspects

    quiet()
    for line in find_suspects(asked, get_console()):
        say(line)


def _go_on(order: "Resume") -> None:
    from lit_al.experiment.file_oracle import ready

    if ready(order, say):
        from lit_al.experiment.session import resume

        quiet()
        resume(order)


def predict(asked: "PredictOptions") -> None:
    """Classify the texts of a table, or those given, with the model of a run."""
    found = asked.found()
    if asked.cluster is not None:
        from lit_al.exchange.on_cluster import classify_on_cluster

        say(classify_on_cluster(found.weights, str(asked.data), *_table_wishes(asked), asked.cluster))
        return
    if asked.to is not None:
        from lit_al.exchange.table_files import check_suffix

        check_suffix(asked.to)  # before anything is loaded
    from lit_al.models.checkpoint import load_frozen
    from lit_al.models.prediction import classify

    if asked.network:
        from lit_al.models.own_network import load_own

        model = load_own(asked.network, found.weights)
    else:
        model = load_frozen(found.weights)
    _say_which(found)
    if asked.is_table:
        _predict_table(asked, model)
        return
    texts, shown = tee(asked.read())
    for prediction, text in zip(classify(model, texts), shown, strict=True):
        if asked.json:
            say(_json({"text": text, **asdict(prediction)}))
        else:
            print(f"{plain(prediction.label)}\t{prediction.probability:.4f}\t{plain(text)}")


def _say_which(found: "FoundModel") -> None:
    """Beside the output: which version of a run is used, where there are several."""
    if found.words:
        say(f"model: {found.words}", sys.stderr)


def _predict_table(asked: "PredictOptions", model: "Classifier") -> None:
    from lit_al.data.tables import DataTable
    from lit_al.exchange.classified import classify_table

    data: object = asked.data
    if data is None:
        data = DataTable(("text",), (list(asked.read()),), lambda row: f"text {row + 1}", "the texts", text="text")
    words = classify_table(model, data, *_table_wishes(asked))
    if asked.to is not None:
        say(words)


def _table_wishes(asked: "PredictOptions") -> "tuple[Reading, Wanted]":
    """How a table is read, and what is written."""
    from lit_al.data.tables import Reading
    from lit_al.exchange.classified import Wanted

    names = ("text_column", "encoding", "separator", "no_header")
    reading = Reading(**{name: getattr(asked, name) for name in names})
    return reading, Wanted(asked.to, asked.all, asked.abstain_below, asked.json, asked.raw)


def _json(found: dict[str, object]) -> str:
    """One line that loses nothing: what a terminal would obey is written as its number."""
    line = json.dumps(found, ensure_ascii=False)
    return "".join(sign if plain(sign) == sign else json.dumps(sign)[1:-1] for sign in line)


def explain(asked: "ExplainOptions") -> None:
    """Say why each text of a round was chosen."""
    from lit_al.experiment.explain import explain as lines

    for line in lines(asked.run, asked.round, asked.top):
        say(line)


def status(asked: "RunOptions") -> None:
    """Say how far a run is: labels, people, conflicts, model, and what to do next."""
    from lit_al.cli.runs import status as lines

    for line in lines(asked.run):
        say(line)


def report(asked: "ReportOptions") -> None:
    """Make the report of a run or a benchmark: one HTML page."""
    from rich import get_console

    from lit_al.cli.runs import report as make

    quiet()
    page = make(asked, get_console())
    say(f"report: {page}")
    if asked.browser:
        import webbrowser

        webbrowser.open(page.resolve().as_uri())


def benchmark(config: "BenchConfig") -> None:
    """Compare strategies over paired seeds and growing budgets.

    Called again with the same --name it goes on where it was stopped.
    """
    from rich import get_console

    from lit_al.benchmark.runner import run_benchmark

    quiet()
    run_benchmark(config, get_console())


def annotate(asked: "AnnotateOptions") -> None:
    """Label texts on a page in the browser, while a model learns from the labels.

    The model chooses what to ask next. The same command again goes on with the same run.
    """
    missing = [package for package in ("starlette", "uvicorn") if find_spec(package) is None]
    if missing:
        raise ConfigError(f"labeling needs {', '.join(missing)}; install them with: pip install 'lit_al[annotate]'")
    from lit_al.annotate.start import annotate as serve

    serve(asked, say)


def label(asked: "LabelOptions") -> None:
    """Label texts in a terminal; every answer is saved at once."""
    from lit_al.annotate.terminal import label as ask

    ask(asked)


def agreement(asked: "RunOptions") -> None:
    """Say how far the annotators of a run agree: Cohen, Krippendorff."""
    from lit_al.annotate.agreement import Agreement

    with _opened(asked) as record:
        for line in Agreement.of(record.answers(), record.classes).lines():
            say(line)


def project(asked: "ProjectOptions") -> None:
    """List runs, delete one, or change what one holds: classes, texts, annotators.

    Changes are made also while the page is served; a run that somebody is at is not deleted.
    """
    from lit_al.annotate.managing import manage, typed

    manage(asked, say, typed)


def recover(asked: "RunOptions") -> None:
    """Make a damaged record of labels sound again, from whichever of its copies is.

    These are its last backup, events.jsonl, and itself. Nothing is deleted: damaged files are moved into a folder
    beside the record.
    """
    from lit_al.record import OwnerLock
    from lit_al.record import recover as make_sound

    if not asked.run.is_dir():
        raise StoreError(f"there is no folder {asked.run}; give the folder of a run")
    with OwnerLock(asked.run, "recovery"):
        say(make_sound(asked.run))


def export(asked: "ExportOptions") -> None:
    """Write the labels of a run, or texts to be labeled elsewhere, to a file."""
    from lit_al.exchange import export as write
    from lit_al.exchange import export_conflicts

    with _opened(asked) as record:
        if asked.to is not None:
            say(
                write(
                    record, asked.to, asked.format, resolve=asked.resolve, unlabeled=asked.unlabeled,
                    suggestions=asked.suggestions, raw=asked.raw, overwrite=asked.overwrite,
                )
            )  # fmt: skip
        if asked.conflicts is not None:
            say(export_conflicts(record, asked.conflicts, asked.resolve, raw=asked.raw, overwrite=asked.overwrite))


def export_model(asked: "ExportModelOptions") -> None:
    """Write a model as files that other programs run: graph, tokenizer, weights, card."""
    from lit_al.delivery.exporting import export_model as write
    from lit_al.models.request import model_at

    _say_which(model_at(asked.model))
    for line in write(asked).lines():
        say(line)


def gate(asked: "GateOptions") -> int:
    """Say by labels it has not learned whether a model is good enough: exit code 0 or 1."""
    from lit_al.delivery.gate import judge, write_judgement
    from lit_al.delivery.gate_console import show
    from lit_al.delivery.project_gate import judge_project, manage_audit
    from lit_al.models.request import model_at

    if asked.manages:
        say(manage_audit(asked))
        return 0
    _say_which(model_at(asked.model))
    judgement = judge_project(asked) if asked.data is None else judge(asked)
    if asked.json is not None:
        write_judgement(judgement, asked.json)
    show(judgement)
    return 0 if judgement.passed else 1


def drift(asked: "DriftOptions") -> int:
    """Say whether texts have changed since a model learned: exit code 0 or 1."""
    from lit_al.delivery.drift_console import bars, show
    from lit_al.delivery.drift_page import drift_page
    from lit_al.delivery.watching import look
    from lit_al.models.request import model_at
    from lit_al.utils.folders import write_text

    _say_which(model_at(asked.model))
    with bars() as progress:
        report = look(asked, progress)
    show(report, asked)
    if asked.to is not None:
        write_text(asked.to, drift_page(report, asked))
        say(f"report: {asked.to}")
    return 1 if report.alarms else 0


def serve(asked: "ServeOptions") -> int:
    """Answer over HTTP which classes texts have; a new model is taken over meanwhile."""
    missing = [package for package in ("litserve", "prometheus_client") if find_spec(package) is None]
    if missing:
        raise ConfigError(f"serving needs {', '.join(missing)}; install them with: pip install 'lit_al[serve]'")
    from lit_al.serving.serving import serve as run

    quiet()
    return run(asked)


def models(asked: "ModelsOptions") -> None:
    """List the versions of a run, promote one, roll back, compare two."""
    from lit_al.delivery.version_console import manage

    manage(asked)


def import_(asked: "ImportOptions") -> None:
    """Take the labels of a file into a run: all of them, or none."""
    from lit_al.exchange import import_answers

    with _opened(asked) as record:
        report = import_answers(
            record,
            asked.file,
            asked.format,
            annotator=asked.annotator,
            settles=asked.settles,
            dry_run=asked.dry_run,
            id_column=asked.id_column,
        )
    say(report.in_words())


@contextmanager
def _opened(asked: "RunOptions") -> Iterator["Record"]:
    """The record of a run; what was wrong with its second copies is said beside the output."""
    from lit_al.record import Record

    with Record.open(asked.run) as record:
        for sentence in record.mended:
            say(sentence, sys.stderr)
        yield record


_FEWER = "give --data of fewer texts, or label with --no-training"
COMMANDS = {
    "train": Command(
        train,
        "experiment.resume:TrainOptions",
        "lower --batch-size, --max-length or --vocabulary-size, or give --data of fewer texts",
        config=True,
    ),
    "fit": Command(fit, "experiment.fit_options:FitOptions", "give fewer texts, or --folds 0"),
    "suspects": Command(suspects, "experiment.fit_options:SuspectsOptions", "give fewer texts, or fewer --folds"),
    "predict": Command(predict, "models.request:PredictOptions", "give fewer or shorter texts, or a smaller MODEL"),
    "explain": Command(explain, "experiment.config:ExplainOptions"),
    "benchmark": Command(
        benchmark,
        "benchmark.bench_config:BenchConfig",
        "lower --side-by-side, --batch-size, --max-length or --vocabulary-size, or give --data of fewer texts",
        config=True,
    ),
    "annotate": Command(annotate, "annotate.project_options:AnnotateOptions", _FEWER),
    "label": Command(label, "annotate.project_options:LabelOptions", _FEWER),
    "project": Command(project, "annotate.managing:ProjectOptions"),
    "status": Command(status, "utils.options:RunOptions"),
    "report": Command(report, "annotate.report_options:ReportOptions"),
    "agreement": Command(agreement, "utils.options:RunOptions"),
    "recover": Command(recover, "utils.options:RunOptions"),
    "export": Command(export, "exchange.file_options:ExportOptions"),
    "export-model": Command(export_model, "delivery.delivery_options:ExportModelOptions"),
    "gate": Command(gate, "delivery.delivery_options:GateOptions", "give fewer or shorter texts"),
    "drift": Command(drift, "delivery.drift_options:DriftOptions", "give fewer or shorter texts"),
    "serve": Command(serve, "serving.serve_options:ServeOptions", "lower --batch-texts, --max-in-flight or --workers"),
    "models": Command(models, "delivery.delivery_options:ModelsOptions"),
    "import": Command(import_, "exchange.file_options:ImportOptions"),
}
