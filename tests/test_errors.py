"""Every sentence that ends a command names a way out that is there."""

import contextlib
import io
import re
import tomllib
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path

import pytest

from lit_al.cli import main
from lit_al.cli.commands import COMMANDS

ROOT = Path(__file__).parents[1]
LOADING = ("train", "benchmark", "annotate", "label")
RAISED_BY = {  # which commands the sentences of a module can end; a longer key goes before a shorter one
    "annotate": ("annotate", "label"),
    "annotate.managing": ("project",),
    "annotate.project_options --port": ("annotate",),
    "annotate.report_options": ("report",),
    "annotate.start": ("annotate",),
    "annotate.terminal": ("label",),
    "benchmark": ("benchmark",),
    "cli": COMMANDS,
    "cli.command_line --config": ("train", "benchmark"),
    "cli.command_line --print-config": ("train", "benchmark"),
    "data": LOADING,
    "data.split": ("train", "benchmark"),
    "delivery": ("export-model",),
    "delivery.delivery_options": ("export-model",),
    "delivery.delivery_options --audit": ("gate",),
    "delivery.delivery_options --close-audit": ("gate",),
    "delivery.delivery_options --require": ("gate",),
    "delivery.delivery_options --data": ("gate", "models"),
    "delivery.delivery_options --json": ("models",),
    "delivery.project_gate": ("gate",),
    "delivery.version_console": ("models",),
    "delivery.version_console --audit": ("gate",),
    "delivery.drift_options": ("drift",),
    "delivery.watching": ("drift",),
    "delivery.gate": ("gate",),
    "criteria": ("gate",),
    "delivery.held_out": ("export-model", "gate", "models"),
    "drift": ("drift",),
    "exchange": ("import", "train"),
    "exchange.conflicts": ("export",),
    "exchange.file_options --conflicts": ("export",),
    "exchange.file_options --to": ("export",),
    "exchange.incoming --annotator": ("import",),
    "exchange.incoming --format": ("import",),
    "exchange.incoming --id-column": ("import",),
    "exchange.incoming --settles": ("import",),
    "exchange.on_cluster": ("predict",),
    "exchange.outgoing": ("export",),
    "exchange.table_files": ("predict",),
    "exchange.writing": ("export",),
    "experiment": ("train",),
    "reporting.loggers": ("train",),
    "reporting.mlflow_registry": ("train", "fit"),
    "record.audit": ("gate",),
    "experiment.final_fit": ("fit",),
    "experiment.fit_options": ("fit",),
    "experiment.fit_options --folds": ("fit", "suspects"),
    "experiment.fit_options --raw": ("suspects",),
    "experiment.labels_there": ("fit", "suspects"),
    "experiment.suspects": ("suspects",),
    "models.checkpoint": LOADING,
    "models.own_network": ("train", "benchmark", "predict"),
    "models.request": ("predict",),
    "record.own_columns": ("annotate", "label", "import"),
    "serving": ("serve",),
    "stopping.parsing --until": ("train",),
    "text": LOADING,
    "utils.cluster": ("predict", "benchmark"),
    "utils.folders": ("train",),
}
OPTION = re.compile(r"(lit-al \w+ )?(--[a-z][a-z-]*[a-z])(?![a-z-]*\{)([^;]*\(of train\.py\))?")


def sentences():
    loader = SourceFileLoader("list_errors", str(ROOT / "scripts" / "list-errors"))
    module = module_from_spec(spec_from_loader("list_errors", loader))
    loader.exec_module(module)
    return list(module.sentences())


@pytest.fixture(scope="module")
def options():
    """The options of each command."""
    found = {}
    for command in COMMANDS:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed), contextlib.suppress(SystemExit):
            main.main([command, "--help"])
        found[command] = set(re.findall(r"--[a-z][a-z-]*", printed.getvalue()))
    return found


def commands_of(module, option):
    keys = [key for key in RAISED_BY if f"{module} {option}" == key or f"{module}.".startswith(f"{key}.")]
    return RAISED_BY[max(keys, key=len)] if keys else None


def test_every_option_in_an_error_is_one_of_the_command_it_ends(options):
    seen = 0
    for sentence in sentences():
        words = sentence.words.replace("--{what}-column", "--text-column or --label-column")
        for elsewhere, option, of_train in OPTION.findall(words):
            where = (elsewhere.split()[1],) if elsewhere else ("train",) if of_train else None
            where = where or commands_of(sentence.module, option)
            assert where, f"{sentence.module} names {option}: which commands does it end?"
            for command in where:
                assert option in options[command], f"{sentence} ends {command}, which has no {option}"
            seen += 1
    assert seen > 60


def test_every_command_package_and_file_in_an_error_is_there():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    for sentence in sentences():
        for command in re.findall(r"lit-al ([a-z]\w*)", sentence.words):
            assert command in (*COMMANDS, "has"), sentence
        for extra in re.findall(r"lit_al\[(\w+)\]", sentence.words):
            assert extra in extras, sentence
        for path in re.findall(r"\b(?:docs|scripts)/[\w./-]*\w", sentence.words):
            assert (ROOT / path).is_file(), sentence


def test_the_list_holds_errors_of_every_kind():
    kinds = {sentence.kind for sentence in sentences()}
    assert kinds >= {"ConfigError", "DataError", "CheckpointError", "FitError", "StrategyError", "RunError", "HubError"}
