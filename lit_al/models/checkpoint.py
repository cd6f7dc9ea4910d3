"""Checkpoints: written so that a crash leaves the old file or the new one, and read without executing anything.

Who only reads texts with a model need not wait for Lightning, which takes longer to load than torch itself: it is
imported where something of its own is made.
"""

import hashlib
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, get_type_hints

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from lit_al.data import MAX_CLASSES
from lit_al.exceptions import CheckpointError, FitError
from lit_al.models.frozen import FrozenBiLSTM
from lit_al.models.kernels import KERNELS
from lit_al.models.model_folder import read_model
from lit_al.models.text_teacher import KIND, TextTeacher
from lit_al.utils import archive, memory
from lit_al.utils.failpoints import crash_point
from lit_al.utils.files import replacing
from lit_al.utils.readers import check_text
from lit_al.utils.terminal_text import first_line

if TYPE_CHECKING:
    import lightning as L

    from lit_al.models.lit_bilstm import LitBiLSTM

Network = TypeVar("Network", bound=nn.Module)


def save_model(model: "L.LightningModule | TextTeacher", path: Path) -> Path:
    """Write the checkpoint of a model that no Trainer holds any more.

    Raises:
        CheckpointError: it cannot be written.
        FitError: a weight is not finite.
    """
    if isinstance(model, TextTeacher):
        save(lambda file: torch.save(model.checkpoint(), file), path)
        return path
    import lightning as L

    trainer = L.Trainer(accelerator="cpu", logger=False, enable_checkpointing=False)
    trainer.strategy.connect(model)
    save(writer_of(trainer), path)
    return path


def writer_of(trainer: "L.Trainer") -> Callable[[Path], None]:
    """Writes what a Trainer holds, without what only a fit that goes on would need."""
    return lambda path: trainer.save_checkpoint(path, weights_only=True)


def save(write: Callable[[Path], None], path: Path) -> str:
    """Write a checkpoint so that a crash leaves the old file or the new one, and read it back before it is the new one.

    Args:
        write: writes the file it is given.
        path: where it goes in the end.

    Returns:
        The sha256 of the file, 64 hex digits.

    Raises:
        CheckpointError: it cannot be written, or does not read back.
        FitError: a weight is not finite.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as temporary:
            temporary.touch()  # Lightning hides a PermissionError; this does not
            write(temporary)
            digest = _read_back(temporary)
            crash_point("before_replace")
    except (OSError, RuntimeError) as error:  # torch raises the latter where the disk is full
        raise CheckpointError(
            f"a checkpoint cannot be written to {path}: {getattr(error, 'strerror', None) or error}; "
            "free the disk or give another --log-dir"
        ) from error
    return digest


def _read_back(path: Path) -> str:
    content = path.read_bytes()
    check_finite(loaded(content, path))
    return hashlib.sha256(content).hexdigest()


def check_finite(state: Any) -> None:
    """Refuse weights of a fit that are no numbers.

    Raises:
        FitError: there is such a weight.
    """
    if not _is_finite(state):
        raise FitError(
            "the weights after a fit are not finite numbers, so nothing was saved; lower --learning-rate (of train.py)"
        )


def _is_finite(state: Any) -> bool:
    return all(bool(torch.isfinite(weight).all()) for weight in _weights(state))


def _weights(state: Any) -> Iterator[Tensor]:
    """Floating numbers below the keys `state_dict` and `model`: scores, which stand elsewhere, may be infinite.

    Each part is seen once, for a file of somebody else's may name a part again and again, or inside itself.
    """
    waiting, seen = [(state, False)], set()
    while waiting:
        part, inside = waiting.pop()
        if isinstance(part, Tensor) and inside and part.is_floating_point():
            yield part
        elif isinstance(part, dict) and (id(part), inside) not in seen:
            seen.add((id(part), inside))
            waiting += [(value, inside or key in ("state_dict", "model")) for key, value in part.items()]


def load_weights(model: nn.Module, path: Path | str) -> None:
    """Give a model the weights of a checkpoint of its own kind.

    Raises:
        CheckpointError: the file is missing, broken, or of another model.
    """
    state = read_checkpoint(path)["state_dict"]
    _check_weights(state, model.state_dict(), path)
    model.load_state_dict(state)


def load_model(path: Path | str) -> "LitBiLSTM | TextTeacher":
    """The model of a checkpoint file, or of a folder (`model_folder`), with its vocabulary and classes, on the CPU.

    Raises:
        CheckpointError: the file is missing, broken, or of another model.
    """
    from lit_al.models.lit_bilstm import LitBiLSTM

    return _load(path, LitBiLSTM)


def load_frozen(path: Path | str) -> FrozenBiLSTM | TextTeacher:
    """The same model, to read texts with and nothing else.

    Raises:
        CheckpointError: as `load_model`.
    """
    return _load(path, FrozenBiLSTM)


class _Undrawn(TorchFunctionMode):
    """Inside, no weight is drawn: without memory there is nothing to draw into, and asking costs torch's compiler."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """What was to be filled, as it is; all else as ever."""
        if getattr(func, "__name__", "") in ("normal_", "uniform_", "kaiming_uniform_"):
            return args[0] if args else kwargs["tensor"]
        return func(*args, **(kwargs or {}))


def _load(path: Path | str, network: type[Network]) -> Network | TextTeacher:
    if Path(path).is_dir():
        return built(*read_model(Path(path)), path, network)
    checkpoint = read_checkpoint(path)
    settings, weights = checkpoint.get("hyper_parameters"), checkpoint["state_dict"]
    taught = isinstance(settings, dict) and settings.get("kind") == KIND
    return built(settings, weights, path, TextTeacher) if taught else built(settings, weights, path, network)


def built(settings: Any, weights: Any, path: Path | str, kind: type[Network]) -> Network:
    """A `LitBiLSTM`, one that is frozen, or a teacher, of settings and weights, each looked at before it is believed.

    Args:
        settings: arguments by name.
        weights: by name.
        path: that they are of, for what there is to say.
        kind: the class.

    Raises:
        CheckpointError: they are not of such a model, or not of one model.
    """
    try:
        checked = _checked_teacher(settings) if kind is TextTeacher else _checked(settings, kind)
        # a model of any size without its memory: sizes are believed once weights have them
        with torch.device("meta"), _Undrawn():
            wanted = kind(**checked).state_dict()
    except Exception as error:  # whatever settings of somebody else's do to torch
        raise CheckpointError(
            f"{path} is a checkpoint, but not one of LitBiLSTM ({first_line(error)}); give a .ckpt file of a run"
        ) from error
    try:
        _check_weights(weights, wanted, path)
    except CheckpointError as error:
        raise CheckpointError(
            f"{error}; or, if it is a network of your own, name its class with lit-al predict --network"
        ) from error
    model = kind(**checked)
    model.load_state_dict(weights)
    return model


def _checked(settings: Any, kind: type[nn.Module]) -> dict[str, Any]:
    """The arguments of a `LitBiLSTM`, or of one that is frozen, each of its type.

    Raises:
        Exception: they are not.
    """
    if not isinstance(settings, dict):
        raise TypeError("it holds no hyper_parameters")
    if "seeds" in settings:
        raise TypeError("it is of a committee; save one of it, committee.member(0), with save_model")
    kinds = get_type_hints(kind.__init__)
    for name, value in settings.items():
        if name not in kinds:
            raise TypeError(f"its setting {name!r} is none of a LitBiLSTM")
        _check_setting(name, value, kinds[name])
    _check_classes(settings.get("classes", ("negative", "positive")))
    if settings.get("kernel", "auto") not in KERNELS:
        raise ValueError(f"its kernel {settings['kernel']!r} is none of {', '.join(KERNELS)}")
    return settings


def _check_classes(names: Sequence[str]) -> None:
    for name in names:
        check_text(name, "its classes", "name of a class")
    if not 2 <= len(names) <= MAX_CLASSES:
        raise ValueError(f"it has {len(names):,} classes, not 2 to {MAX_CLASSES:,}")


def _checked_teacher(settings: Any) -> dict[str, Any]:
    """The arguments of a `TextTeacher`.

    Raises:
        Exception: they are not.
    """
    checked = TextTeacher.checked(settings)
    _check_classes(checked["classes"])
    return checked


def _check_setting(name: str, value: Any, kind: Any) -> None:
    plain: dict[Any, tuple[type, ...]] = {int: (int,), float: (int, float), str: (str,), bool: (bool,)}
    composed: tuple[type, ...] = (list, tuple) if name == "classes" else (dict, type(None))
    if not isinstance(value, plain.get(kind, composed)) or (isinstance(value, bool) and kind is not bool):
        raise TypeError(f"its {name} is of type {type(value).__name__}")
    if isinstance(value, int) and kind is int and value < 1:
        raise ValueError(f"its {name} is {value}")


def _check_weights(weights: Any, wanted: Mapping[str, Tensor], path: Path | str) -> None:
    """Refuse weights that are not those of the model: by name, shape and kind, or not finite.

    Raises:
        CheckpointError: they are not.
    """
    for name in [*wanted, *weights]:
        found, model = weights.get(name), wanted.get(name)
        if not isinstance(found, Tensor) or model is None:
            difference = f"lacks {name}" if model is not None else f"has {first_line(name)} besides"
        elif found.shape != model.shape or found.is_floating_point() != model.is_floating_point():
            shapes = f"{tuple(found.shape)} and {found.dtype}, not {tuple(model.shape)}"
            difference = f"has a {name} of {shapes}"
        elif found.layout != torch.strided or found.device.type != "cpu" or not found.is_contiguous():
            difference = f"has a {name} that is no plain array"  # an expanded number could stand for terabytes
        else:
            continue
        raise CheckpointError(f"{path} holds weights of another model: it {difference}; give a .ckpt file of a run")
    if not _is_finite({"state_dict": dict(weights)}):
        raise CheckpointError(
            f"{path} holds weights that are not finite numbers, so that it predicts nothing; train again, or give "
            "another .ckpt file of the run"
        )


def read_checkpoint(path: Path | str) -> dict[str, Any]:
    """The contents of a checkpoint file; nothing in it is executed.

    Raises:
        CheckpointError: the file is missing or not a Lightning checkpoint.
    """
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise CheckpointError(
            f"checkpoint {path} cannot be read: {error.strerror or error}; give a .ckpt file of a run"
        ) from error
    state = loaded(content, path)
    if not isinstance(state, dict) or not isinstance(state.get("state_dict"), dict):
        raise CheckpointError(f"{path} holds no model; give a .ckpt file of a run")
    return state


def loaded(content: bytes, path: Path | str) -> Any:
    """The contents of a file of torch's, without executing anything that stands in it, and only if they are as written.

    Raises:
        CheckpointError: it is none, or damaged: a checksum in it is wrong.
    """
    fault = archive.fault(content)
    try:
        if not fault:
            return torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except Exception as error:  # whatever a file of somebody else's does to torch
        if memory.is_shortage(error):
            raise
        fault = first_line(error)
    raise CheckpointError(
        f"{path} is not a checkpoint, or it is damaged: {fault}; give another .ckpt file of a run, or train again"
    )
