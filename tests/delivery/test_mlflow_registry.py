from importlib.util import find_spec

import pytest

from lit_al.exceptions import ConfigError, RunError
from lit_al.models.prediction import classify
from lit_al.reporting.mlflow_registry import ReadingModel, check_name, register

needs_mlflow = pytest.mark.skipif(find_spec("mlflow") is None, reason="needs mlflow-skinny, sqlalchemy, alembic")


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.delenv("MLFLOW_REGISTRY_URI", raising=False)
    folder = tmp_path / "logs" / "run"
    folder.mkdir(parents=True)
    return folder


@pytest.mark.parametrize("name", ["", " ", "a/b", "a:b"])
def test_name_that_no_model_can_have(name):
    with pytest.raises(ConfigError, match="is no name of a model"):
        check_name(name)


@needs_mlflow
@pytest.mark.filterwarnings("ignore")  # MLflow's own, of its dependencies
def test_registered_model_says_what_the_checkpoint_says(run, checkpoint, learned):
    import mlflow

    words = register("mails", checkpoint, run, {"seed": 1}, {"test/accuracy": 0.9})
    assert words.startswith("registered: models:/mails/1 of MLflow at sqlite:///")
    again = register("mails", checkpoint, run, {"seed": 1}, {})
    assert again.startswith("registered: models:/mails/2")
    texts = ["win cash", "lunch tomorrow"]
    wanted = [{"label": one.label, "probability": one.probability} for one in classify(learned(), texts)]
    assert [one["label"] for one in wanted] == ["spam", "ham"]
    assert mlflow.pyfunc.load_model("models:/mails/1").predict(texts) == wanted
    client = mlflow.tracking.MlflowClient()
    version = client.get_model_version("mails", "1")
    assert client.get_run(version.run_id).data.metrics == {"test/accuracy": 0.9}


@needs_mlflow
@pytest.mark.filterwarnings("ignore")
def test_checkpoint_stays_where_mlflow_cannot_be_reached(run, checkpoint, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:////proc/none/mlflow.db")
    with pytest.raises(RunError, match=r"the model is in .*model\.ckpt, but not in MLflow at sqlite:"):
        register("mails", checkpoint, run, {}, {})
    assert checkpoint.is_file()


def test_a_table_is_read_by_its_column_of_texts(checkpoint):
    class Table:  # as of pandas
        columns = ("id", "text")

        def __getitem__(self, name):
            return {"text": self, "id": None}[name]

        def tolist(self):
            return ["win cash"]

    assert [one["label"] for one in ReadingModel(str(checkpoint)).predict(Table())] == ["spam"]
