"""`lit-al export-model`: a model as files that other programs run, in a folder of its own.

What is written is read back and asked before it is handed over: the graph must say what the network says.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

from lit_al.calibration import Calibration, tempered
from lit_al.delivery.delivery_options import OPSET, ExportModelOptions, Precision
from lit_al.delivery.held_out import HeldOut, reading_model, said_of
from lit_al.delivery.model_card import Judged, model_card
from lit_al.delivery.origin import Origin, reference_at
from lit_al.drift.model_reference import Reference
from lit_al.exceptions import CheckpointError, ConfigError, RunError
from lit_al.metrics import Evaluation
from lit_al.models.bilstm import probabilities_of
from lit_al.models.checkpoint import read_checkpoint
from lit_al.models.frozen import FrozenBiLSTM
from lit_al.models.model_folder import config_of, write_model
from lit_al.models.request import weights_at
from lit_al.models.text_teacher import TextTeacher
from lit_al.text.encoder import TextEncoder
from lit_al.typing import Float32s
from lit_al.utils.files import way_out
from lit_al.utils.folders import whole_or_gone, write_bytes, write_text

GRAPH: Final = "model.onnx"
CARD: Final = "README.md"
SAME: Final = 1e-5  # between the probabilities of the graph and of the network
_TRIED: Final = 64  # texts of chance that the graph is asked


@dataclass(frozen=True)
class Exported:
    """What was written.

    Attributes:
        folder: where.
        difference: the largest between the graph's probabilities and the network's; None without a graph.
        calibration: what the temperature does; None where there is none.
        judged: the model by the held-out texts; None without any.
        notes: what else a user should read.
    """

    folder: Path
    difference: float | None
    calibration: dict[str, Any] | None
    judged: Evaluation | None
    notes: tuple[str, ...]

    def lines(self) -> Iterator[str]:
        """What is said of it."""
        yield from (f"note: {note}" for note in self.notes)
        if self.judged is not None:
            low, high = self.judged.confusion.interval
            words = f"accuracy on {self.judged.confusion.rows:,} held-out texts: {self.judged.accuracy:.4f}"
            yield f"{words} (95 % interval {low:.4f} to {high:.4f})"
        if self.calibration is not None:
            found = self.calibration
            yield (
                f"calibrated by {found['rows']:,} labels: temperature {found['temperature']:g}, calibration error "
                f"{found['ece_before']:.4f} before and {found['ece_after']:.4f} after"
            )
        if self.difference is not None:
            yield f"{GRAPH}: its probabilities differ from the network's by {self.difference:.0e} at most"
        names = ", ".join(sorted(path.name for path in self.folder.iterdir()))
        yield f"the model is in {self.folder}: {names}"


def export_model(asked: ExportModelOptions) -> Exported:
    """Write a model.

    Raises:
        LitALError: a model or held-out texts that cannot be read, packages that are missing, a folder that is there
            already; nothing is left behind then.
    """
    _check_packages(asked)
    weights = weights_at(asked.model)
    model, encoder = _network(weights)
    origin = Origin.of(asked.model, weights)
    held = HeldOut.read(asked, model.classes) if asked.data is not None else None
    said = said_of(model, held.texts) if held else None
    calibration, already = _calibration(asked, origin, held, said)
    if calibration and not already:
        _divide(model, calibration["temperature"])
    reference = _reference(asked.model)
    if reference is not None and calibration and not already:
        reference = reference.divided(calibration["temperature"])
    judged = None
    if held and said is not None:
        known = tempered(said, calibration["temperature"]) if calibration and not already else said
        judged = Judged(Evaluation.of(known, held.labels), held.source)
    config = {
        **config_of(_settings(model), encoder),
        "calibration": calibration,
        "origin": origin.described(),
        "onnx": _described_graph(asked) if asked.onnx else None,
    }
    with whole_or_gone(_made(asked.to)) as folder:
        write_model(folder, config, model.state_dict(), encoder)
        difference = _write_graph(folder, model, asked.precision) if asked.onnx else None
        if reference is not None:
            reference.write(folder)
        write_text(folder / CARD, model_card(model, origin, asked, calibration, judged))
    notes = held.notes if held else ()
    if not calibration and asked.calibrate:
        notes = (*notes, "the probabilities are not calibrated: --data of 50 labeled texts or more says how")
    return Exported(asked.to, difference, calibration, judged.evaluation if judged else None, notes)


def _reference(model: Path) -> Reference | None:
    """What `lit-al drift` holds texts against, where the model has it."""
    path = reference_at(model)
    return Reference.read(path) if path.is_file() else None


def _network(weights: Path) -> tuple[FrozenBiLSTM, TextEncoder]:
    """The network, and what makes tokens of texts for it.

    Raises:
        CheckpointError: it has none, or is no network.
    """
    try:
        model = reading_model(weights)
    except CheckpointError:
        _check_kind(weights)
        raise
    if isinstance(model, TextTeacher):
        raise CheckpointError(
            f"{weights} is a teacher, linear models over all terms of its texts, which no graph of a network holds; "
            "lit-al predict reads it as it is, and lit-al fit --deliver student makes a network"
        )
    assert model.encoder is not None  # as `reading_model` has seen
    return model, model.encoder


def _check_packages(asked: ExportModelOptions) -> None:
    missing = [package for package in ("onnx", "onnxruntime") if find_spec(package) is None]
    if asked.onnx and missing:
        raise ConfigError(
            f"exporting needs {' and '.join(missing)}; install them with pip install 'lit_al[onnx]', or leave the "
            "graph out with --no-onnx"
        )


def _check_kind(weights: Path) -> None:
    """Say of a network of the user's own that it is one; what else is wrong with a checkpoint, its reader has said."""
    if weights.is_dir():
        return
    checkpoint = read_checkpoint(weights)
    settings = checkpoint.get("hyper_parameters")
    is_committee = isinstance(settings, dict) and "seeds" in settings
    if "net.embedding.weight" not in checkpoint["state_dict"] and not is_committee:
        raise CheckpointError(
            f"{weights} is of another network than LitBiLSTM, and no other is exported; give one of your own to "
            "torch.onnx.export"
        )


def _calibration(
    asked: ExportModelOptions, origin: Origin, held: HeldOut | None, said: Any
) -> tuple[dict[str, Any] | None, bool]:
    """The temperature as `config.json` has it, or None; and whether the weights have it already."""
    if origin.calibration.get("applied"):
        return dict(origin.calibration), True
    if not asked.calibrate:
        return None, False
    if held is not None:
        found = Calibration.of(said, held.labels)
        return ({**found.described(), "by": held.source, "applied": True} if found else None), False
    known = dict(origin.calibration)
    return ({**known, "by": origin.judged["by"], "applied": True} if known else None), False


def _divide(model: FrozenBiLSTM, temperature: float) -> None:
    """Divide the logits, by dividing what they are linear in."""
    with torch.no_grad():
        for weight in model.net.head.parameters():
            weight.div_(temperature)


def _settings(model: FrozenBiLSTM) -> dict[str, Any]:
    """The arguments of `LitBiLSTM`."""
    net = model.net
    return {
        "classes": model.classes,
        "embedding_size": net.embedding.embedding_dim,
        "hidden_size": net.lstm.recurrent_kernel.shape[1],
        "dense_size": net.width,
        "dropout": net.dropout.p,
        "masked": net.lstm.masked,
    }


def _described_graph(asked: ExportModelOptions) -> dict[str, Any]:
    return {"opset": OPSET, "precision": asked.precision, "inputs": ["input_ids"], "outputs": ["probabilities"]}


def _write_graph(folder: Path, model: FrozenBiLSTM, precision: Precision) -> float:
    """Write `model.onnx` and ask it; returns by how much its probabilities differ from the network's.

    Raises:
        RunError: by more than they may.
    """
    from lit_al.delivery.onnx_graph import onnx_model

    assert model.encoder is not None  # as `export_model` has seen
    facts = {"classes": list(model.classes), "max_length": model.encoder.max_length, "units": model.encoder.units}
    with _without_warnings():
        content = onnx_model(model.net, facts, precision)
    graph = session(content)
    tokens = _of_chance(model.encoder)  # (n, T)
    with torch.no_grad():
        wanted = probabilities_of(model.net(torch.from_numpy(tokens))).numpy()
    found = [*(ask(graph, row[None])[0] for row in tokens[:4]), *ask(graph, tokens[4:])]
    difference = float(np.abs(np.stack(found) - wanted).max())
    if precision == "fp32" and difference > SAME:
        raise RunError(
            f"{GRAPH} says other probabilities than the network, by {difference:.1e}, so that nothing was written; "
            "take another version of onnxruntime, or leave the graph out with --no-onnx"
        )
    write_bytes(folder / GRAPH, content)
    return difference


def session(model: bytes | Path, threads: int = 1) -> Any:
    """An onnxruntime session of a graph that computes on so many threads."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = threads, 3
    source = model if isinstance(model, bytes) else str(model)
    return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])


def ask(graph: Any, tokens: Any) -> Float32s:
    """What the session of a graph says of token ids (n, T): probabilities (n, C)."""
    found: Float32s = graph.run(["probabilities"], {"input_ids": tokens.astype(np.int64)})[0]
    return found


def _of_chance(encoder: TextEncoder) -> Any:
    """(n, T) int64 texts of any words and of all lengths, an empty one and a whole one among them."""
    rng, length = np.random.default_rng(0), encoder.max_length
    tokens = rng.integers(1, len(encoder.vocabulary), (_TRIED, length))
    kept = np.concatenate([[0, length], rng.integers(0, length + 1, _TRIED - 2)])
    tokens[np.arange(length) >= kept[:, None]] = 0
    return tokens


@contextmanager
def _without_warnings() -> Iterator[None]:
    """What onnxruntime's quantizer advises is no advice to a user."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)


def _made(folder: Path) -> Path:
    """A new folder.

    Raises:
        RunError: it is there already, or cannot be made.
    """
    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        raise RunError(f"{folder} is there already, and no model is written over another; give another --to") from None
    except OSError as error:
        raise RunError(f"{folder} cannot be made: {error.strerror or error}; {way_out(error, folder)}") from error
    return folder
