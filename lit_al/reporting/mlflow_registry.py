"""Models in MLflow's registry, as its python function: texts in, classes and probabilities out.

MLflow loads one with `mlflow.pyfunc.load_model("models:/NAME/1")`; it finds `_load_pyfunc` in this module and hands it
the checkpoint, so that nothing is pickled. The environment that loads it needs this package.
"""

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from lit_al.exceptions import ConfigError, RunError
from lit_al.reporting.loggers import check_packages, quietly, run_in_mlflow, tracking_uri

ARTIFACT: Final = "model"
_NEVER: Final = "/:.%\"'"  # MLflow's own


def check_name(name: str) -> None:
    """Refuse a name that no model can have, or a registry without its packages.

    Raises:
        ConfigError: it is so.
    """
    if not name.strip() or any(sign in name for sign in _NEVER):
        raise ConfigError(f"--register {name!r} is no name of a model; give one without {_NEVER}")
    check_packages("mlflow", "--register")


def register(
    name: str, checkpoint: Path, folder: Path, parameters: Mapping[str, Any], metrics: Mapping[str, Any]
) -> str:
    """Put a model into MLflow's registry, as part of its run there; returns what was done, in words.

    Args:
        name: under which.
        checkpoint: of the model.
        folder: of the run; MLflow's database is beside it unless `MLFLOW_TRACKING_URI` says otherwise.
        parameters: of the run, where MLflow does not know it yet.
        metrics: likewise; what is no number is left out.

    Raises:
        RunError: MLflow refuses it; the checkpoint is where it was.
    """
    import mlflow

    uri = tracking_uri(folder)
    try:
        run = run_in_mlflow(folder, parameters, metrics)
        with quietly():
            mlflow.set_tracking_uri(uri)
            with mlflow.start_run(run_id=run):
                made = mlflow.pyfunc.log_model(
                    name=ARTIFACT,
                    loader_module=__name__,
                    data_path=str(checkpoint),
                    registered_model_name=name,
                    pip_requirements=[f"lit_al=={version('lit_al')}"],
                )
    except Exception as error:  # whatever a server or its database says
        raise RunError(
            f"the model is in {checkpoint}, but not in MLflow at {uri} ({' '.join(str(error).split())[:200]}); set "
            "MLFLOW_TRACKING_URI, or leave out --register"
        ) from error
    return f"registered: models:/{name}/{made.registered_model_version} of MLflow at {uri}"


class ReadingModel:
    """What MLflow asks.

    Args:
        path: of a checkpoint.
    """

    def __init__(self, path: str) -> None:
        from lit_al.models.checkpoint import load_frozen

        self.model = load_frozen(path)

    def predict(self, data: Any, params: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """Label and probability of each text.

        Args:
            data: texts, or a table of pandas whose column `text`, else its first one, holds them.
            params: none are known.
        """
        from lit_al.models.prediction import classify

        columns = getattr(data, "columns", None)
        if columns is not None:
            data = data["text" if "text" in columns else columns[0]].tolist()
        return [{"label": one.label, "probability": one.probability} for one in classify(self.model, map(str, data))]


def _load_pyfunc(path: str) -> ReadingModel:
    """As MLflow calls it."""
    return ReadingModel(path)
