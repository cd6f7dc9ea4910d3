"""Records as tensors and plain types, which `torch.load` reads without executing anything, and back."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar, get_args, get_type_hints

import numpy as np
import torch
from torch import Tensor

T = TypeVar("T")


def packed(value: Any) -> Any:
    """A value as tensors and plain types, which `torch.load` reads without executing anything.

    >>> packed({"rows": np.array([3, 1]), "share": np.float64(0.5)})
    {'rows': tensor([3, 1]), 'share': 0.5}
    """
    if isinstance(value, Tensor):
        return value.detach().cpu()
    if isinstance(value, np.ndarray):
        return torch.from_numpy(np.ascontiguousarray(value))
    if isinstance(value, np.generic):
        return value.item()
    if is_dataclass(value) and not isinstance(value, type):
        return {item.name: packed(getattr(value, item.name)) for item in fields(value)}
    if isinstance(value, Mapping):
        return {key: packed(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(packed(part) for part in value)
    return value


def unpacked(kind: type[T], state: Mapping[str, Any]) -> T:
    """The dataclass that was `packed`, those inside it too.

    Raises:
        TypeError: it is of another kind.
    """
    hints = get_type_hints(kind)
    return kind(**{name: _unpacked(hints.get(name), value) for name, value in state.items()})


def _unpacked(hint: Any, value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.numpy()
    if isinstance(value, dict):
        inner = [part for part in (hint, *get_args(hint)) if isinstance(part, type) and is_dataclass(part)]
        return unpacked(inner[0], value) if inner else value
    return value
