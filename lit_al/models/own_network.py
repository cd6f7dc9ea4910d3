"""A network of the user's own, by the name of its class: `mynet.py:MyNet`, or `package.module:MyNet`."""

import sys
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import lightning as L

from lit_al.exceptions import CheckpointError, ConfigError
from lit_al.models.checkpoint import read_checkpoint
from lit_al.models.classifier import Classifier
from lit_al.utils.terminal_text import first_line


def load_network(named: str) -> type[L.LightningModule]:
    """The class; the code of its module is run.

    Raises:
        ConfigError: there is none, or its module fails.
    """
    place, _, name = named.rpartition(":")
    if not place or not name:
        raise ConfigError(
            f"--network {named} names no class; write FILE.py:CLASS or MODULE:CLASS, as in mynet.py:MyNet"
        )
    try:
        found: Any = getattr(_module(place), name, None)
    except Exception as error:  # whatever code of somebody else's does
        raise ConfigError(
            f"--network {named} cannot be imported ({type(error).__name__}: {first_line(error)})"
        ) from error
    if not (isinstance(found, type) and issubclass(found, L.LightningModule)):
        raise ConfigError(f"--network {named}: {place} has no LightningModule {name}")
    return found


def _module(place: str) -> ModuleType:
    path = Path(place).expanduser()
    if path.suffix != ".py":
        if "" not in sys.path:
            sys.path.insert(0, "")  # a module beside the caller, as with python -m
        return import_module(place)
    name = f"lit_al_network:{path.resolve()}"
    if name in sys.modules:  # as with import, its code is run once
        return sys.modules[name]
    spec = spec_from_file_location(name, path)
    assert spec is not None  # a path that ends in .py has one
    assert spec.loader is not None
    module = sys.modules[name] = module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]  # half of it is none
        raise
    return module


def load_own(named: str, path: Path) -> Any:
    """The network of a checkpoint, on the CPU.

    Raises:
        ConfigError: there is no such class.
        CheckpointError: the file is missing, broken, or of another network.
    """
    kind = load_network(named)
    read_checkpoint(path)  # it is whole, and its weights are numbers
    try:
        return kind.load_from_checkpoint(path, map_location="cpu", weights_only=True)
    except Exception as error:  # whatever code of somebody else's does
        raise CheckpointError(
            f"{path} is no checkpoint of {named} ({type(error).__name__}: {first_line(error)}); its __init__ must call "
            "self.save_hyperparameters()"
        ) from error


def make_network(named: str, classes: tuple[str, ...]) -> Any:
    """A fresh one; torch's generator draws its weights.

    Raises:
        ConfigError: it cannot be made of the class names, or lacks what a `Classifier` has.
    """
    kind = load_network(named)
    try:
        network = kind(classes)
    except Exception as error:  # as above
        raise ConfigError(
            f"--network {named} cannot be made of the class names alone ({type(error).__name__}: {first_line(error)}); "
            "its __init__ takes classes"
        ) from error
    if not isinstance(network, Classifier):
        raise ConfigError(f"--network {named} does not keep the class names; set self.classes = tuple(classes)")
    return network
