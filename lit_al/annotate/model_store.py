"""The checkpoints of a run that people label: written whole, read back, and never used unless they are as written."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import torch

from lit_al.exceptions import CheckpointError, RunError
from lit_al.models.checkpoint import load_model, save_model
from lit_al.models.lit_bilstm import LitBiLSTM
from lit_al.models.model_registry import BEST, digest_of
from lit_al.models.model_registry import CHECKPOINTS as FOLDER
from lit_al.record import ModelVersion
from lit_al.utils.folders import write_bytes
from lit_al.utils.links import own

KEPT: Final = 2  # sound ones


class Weights:
    """The folder of checkpoints.

    Args:
        run: folder of the run.
    """

    def __init__(self, run: Path) -> None:
        self.run, self.folder = run, run / FOLDER

    def write(self, model: LitBiLSTM, version: int) -> tuple[str, str]:
        """Write a model, and read it back.

        Returns:
            The path, relative to the run's folder, and the sha256 of the file.

        Raises:
            CheckpointError: it cannot be written, or is not what was written.
        """
        path = save_model(model, self.folder / f"model-{version}.ckpt")
        back = load_model(path).state_dict()  # weights_only=True, as every reading
        for name, weight in model.state_dict().items():
            if not torch.equal(back[name], weight.cpu()) or not bool(torch.isfinite(weight).all()):
                raise CheckpointError(f"{path} reads back other weights than were written; check the disk")
        return f"{FOLDER}/{path.name}", digest_of(path)

    def fault(self, model: ModelVersion) -> str:
        """What is wrong with the checkpoint of a model on record, as a clause; "" where it is sound."""
        path = self.run / model.path
        if model.path != f"{FOLDER}/model-{model.version}.ckpt":  # a record of other hands may lead anywhere
            return f"{model.path[:60]!r} is no checkpoint of this run"
        try:
            found = digest_of(own(path))
        except RunError as error:
            return str(error)
        except OSError as error:
            return f"{model.path} cannot be read ({error.strerror or error})"
        return "" if found == model.sha256 else f"{model.path} is damaged: its sha256 is not the one on record"

    def sound(self, models: Iterable[ModelVersion]) -> list[ModelVersion]:
        """The newest models on record whose files are as written, the newest first, no more than are kept."""
        found: list[ModelVersion] = []
        for model in sorted(models, key=lambda model: model.version, reverse=True):
            if len(found) < KEPT and not self.fault(model):
                found.append(model)
        return found

    def offer(self, sound: Sequence[ModelVersion]) -> None:
        """Make the newest sound model `best.ckpt`; without one there is none."""
        if sound:
            self._offer((self.run / sound[0].path).read_bytes())
        else:
            (self.folder / BEST).unlink(missing_ok=True)

    def tidy(self, sound: Sequence[ModelVersion]) -> None:
        """Delete the files of all other models, and what killed processes have left."""
        kept = {Path(model.path).name for model in sound}
        for path in [*self.folder.glob("model-*.ckpt"), *self.folder.glob(".*.tmp")]:
            if path.name not in kept:
                path.unlink(missing_ok=True)

    def _offer(self, content: bytes) -> None:
        best = self.folder / BEST
        if best.is_file() and best.read_bytes() == content:
            return
        try:
            write_bytes(best, content)
        except RunError as error:
            raise CheckpointError(str(error)) from error
