import csv
import json
import time
from importlib.util import find_spec

import pytest

from lit_al.exceptions import ConfigError, RunError
from lit_al.reporting import loggers
from lit_al.reporting.loggers import MetricLoggers, allowed, logger_names, run_in_mlflow, tracking_uri

needs_mlflow = pytest.mark.skipif(find_spec("mlflow") is None, reason="needs mlflow-skinny, sqlalchemy, alembic")
needs_wandb = pytest.mark.skipif(find_spec("wandb") is None, reason="needs wandb")

PARAMETERS = {"seed": 3, "strategy": "margin"}


@pytest.fixture
def run(tmp_path, monkeypatch):
    """The folder of a run, whose loggers keep everything beside it."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("WANDB_MODE", "offline")
    folder = tmp_path / "logs" / "run"
    folder.mkdir(parents=True)
    return folder


def metrics_of(folder):
    with (folder / "csv" / "metrics.csv").open() as file:
        return list(csv.DictReader(file))


def test_unknown_logger_is_one_sentence():
    with pytest.raises(ConfigError, match=r"--logger 'tensorbord' is none of tensorboard, .*did you mean"):
        logger_names("tensorbord")


@pytest.mark.parametrize("text", ["none,csv", "", ","])
def test_none_stands_alone(text):
    with pytest.raises(ConfigError, match="must name loggers, or none alone"):
        logger_names(text)


def test_missing_package_is_one_sentence_with_the_command(monkeypatch):
    monkeypatch.setattr(loggers, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"--logger wandb needs wandb; install it with pip install 'lit_al\[wandb\]'"):
        logger_names("csv,wandb")


def test_csv_has_parameters_and_each_metric_at_its_step(run):
    made = MetricLoggers(["tensorboard", "csv"], run, PARAMETERS)
    made.scalars({"test/accuracy": 0.5, "taken/好": 2}, 100)
    made.scalars({"test/accuracy": 0.75}, 200)
    made.close("finished")
    found = [(row["step"], row["test/accuracy"], row["taken/好"]) for row in metrics_of(run)]
    assert found == [("100", "0.5", "2"), ("200", "0.75", "")]
    assert "strategy: margin" in (run / "csv" / "hparams.yaml").read_text()


def test_names_that_mlflow_cannot_hold_stay_apart():
    names = ["taken/好", "taken/吃", "taken/a=b", "taken/a_b", "test/macro_f1"]
    assert len({allowed(name) for name in names}) == len(names)
    assert allowed("test/macro_f1") == "test/macro_f1"


@needs_mlflow
def test_mlflow_has_parameters_and_each_metric_at_its_step(run):
    from mlflow.tracking import MlflowClient

    made = MetricLoggers(["mlflow"], run, PARAMETERS)
    made.scalars({"test/accuracy": 0.5, "taken/好": 2}, 100)
    made.scalars({"test/accuracy": 0.75}, 200)
    made.close("finished")
    client, number = MlflowClient(tracking_uri(run)), json.loads((run / "loggers.json").read_text())["mlflow"]
    known = client.get_run(number)
    assert (known.data.params, known.info.status) == ({"seed": "3", "strategy": "margin"}, "FINISHED")
    assert known.info.run_name == "run"
    history = client.get_metric_history(number, "test/accuracy")
    assert [(one.step, one.value) for one in history] == [(100, 0.5), (200, 0.75)]
    assert known.data.metrics[allowed("taken/好")] == 2


@needs_mlflow
def test_a_run_that_goes_on_goes_on_in_mlflow_and_tells_nothing_twice(run):
    from mlflow.tracking import MlflowClient

    first = MetricLoggers(["mlflow", "csv"], run, PARAMETERS)
    first.scalars({"loss": 1.0}, 1)
    first.close("interrupted")
    for file in (run / "csv").glob("*"):  # as a sitting begins
        file.unlink()
    second = MetricLoggers(["mlflow", "csv"], run, PARAMETERS)
    second.replays = True
    second.scalars({"loss": 1.0}, 1)
    second.replays = False
    second.scalars({"loss": 0.5}, 2)
    second.close("finished")
    client, number = MlflowClient(tracking_uri(run)), json.loads((run / "loggers.json").read_text())["mlflow"]
    assert [(one.step, one.value) for one in client.get_metric_history(number, "loss")] == [(1, 1.0), (2, 0.5)]
    assert client.get_run(number).info.status == "FINISHED"
    assert len(client.search_runs(["1"])) == 1
    assert [row["loss"] for row in metrics_of(run)] == ["1.0", "0.5"]


@needs_mlflow
def test_run_of_mlflow_is_made_once(run):
    number = run_in_mlflow(run, PARAMETERS, {"test/accuracy": 0.5, "test/errors": {}})
    assert run_in_mlflow(run, PARAMETERS, {}) == number


@needs_mlflow
def test_mlflow_out_of_reach_is_one_sentence(run, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:////proc/none/mlflow.db")
    with pytest.raises(RunError, match=r"MLflow at sqlite:.* cannot be used .* leave mlflow out of --logger"):
        MetricLoggers(["mlflow"], run, PARAMETERS)


@needs_wandb
def test_wandb_keeps_an_offline_run(run):
    made = MetricLoggers(["wandb"], run, PARAMETERS)
    made.scalars({"test/accuracy": 0.5}, 100)
    made.close("finished")
    number = json.loads((run / "loggers.json").read_text())["wandb"]
    [kept] = run.parent.glob(f"wandb/offline-run-*-{number}/run-{number}.wandb")
    deadline = time.monotonic() + 30  # its own process writes
    while b"test/accuracy" not in kept.read_bytes():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_ids_of_other_hands_are_one_sentence(run):
    (run / "loggers.json").write_text("[1")
    with pytest.raises(RunError, match=r"loggers\.json cannot be read"):
        MetricLoggers(["csv"], run, PARAMETERS)
