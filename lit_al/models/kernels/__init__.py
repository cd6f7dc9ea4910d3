"""The BiLSTM of a text classifier, in interchangeable forms behind one signature.

| form        | what it is                                              | where it runs              |
|-------------|---------------------------------------------------------|----------------------------|
| `cpu`       | the whole sequence in one compiled loop (numba)         | CPU, float32               |
| `cuda`      | the whole sequence in one kernel (Triton)               | NVIDIA GPUs, float32       |
| `lstm`      | torch's own LSTM (oneDNN, cuDNN)                        | any device, any float      |
| `reference` | one line of torch per formula; the truth for the others | any device, any float      |

``kernel="auto"`` takes the fastest form that can run the given tensors. All forms compute the same function with the
same gradients: embedding, two LSTM directions with zero initial state and one bias per gate, gate order i, f, g, o
(Keras: i, f, c, o). Importing this package is cheap; numba and Triton are imported when their form first runs.

``masked=True`` makes token 0 padding: see `lit_al.models.kernels.fold`. As in Keras's example it is a word like any
other unless asked for.

A form is a module with one function, `run`: the tokens are int64 and checked, the weights as in `pooled_states`; with
`pooling` it returns (M, B, 2H) pooled states, else (M, B, T, 2H) hidden ones.

M counts the members of a committee (1 for a single network), B rows, T tokens, V vocabulary entries, E embedding
features, H units per direction.
"""

import functools
import importlib
import logging
from collections.abc import Sequence
from types import ModuleType

from torch import Tensor, dtype, float32

from lit_al.exceptions import ConfigError
from lit_al.models.kernels.fold import check_tokens, is_recorded, trimmed

__all__ = ["KERNELS", "hidden_states", "pooled_states"]

KERNELS = ("auto", "cpu", "cuda", "lstm", "reference")

log = logging.getLogger(__name__)


def pooled_states(
    tokens: Tensor,
    embedding: Tensor,
    input_kernel: Tensor,
    bias: Tensor,
    recurrent: Tensor,
    *,
    kernel: str = "auto",
    masked: bool = False,
) -> Tensor:
    """Run the BiLSTM over every text and keep each unit's maximum over time.

    A tie's gradient goes to the first time step that attains the maximum; NaN in any time step gives NaN. Masked, the
    maximum is that of the text's words and of 0, which is a padded step's state, whether padding follows or not: a
    text's result depends on its words alone.

    Args:
        tokens: Token ids, any integer dtype, shape (B, T) shared by all members or (M, B, T).
        embedding: Embedding tables, shape (M, V, E).
        input_kernel: Input weights, direction 0 forward and 1 backward in time, shape (M, 2, E, 4H).
        bias: Gate biases, shape (M, 2, 4H).
        recurrent: Recurrent weights, shape (M, 2, H, 4H).
        kernel: The form to run, one of `KERNELS`.
        masked: Token 0 is padding, which follows a text's words: it has no state and no gradient.

    Returns:
        Pooled states, shape (M, B, 2H): H forward units, then H backward units.

    Raises:
        ConfigError: If the kernel is unknown or cannot run these tensors.
        IndexError: If a token id is outside the embedding table (checked on CPU; on a GPU the check would wait for the
            device, so the `cuda` form gives NaN, and the others fail on the device).

    >>> import torch
    >>> shapes = (1, 9, 4), (1, 2, 4, 12), (1, 2, 12), (1, 2, 3, 12)
    >>> pooled_states(torch.tensor([[1, 2, 0]]), *(torch.ones(shape) for shape in shapes)).shape
    torch.Size([1, 1, 6])
    """
    pooled = _run(tokens, (embedding, input_kernel, bias, recurrent), kernel, masked=masked, pooling=True)
    return pooled.relu() if masked else pooled


def hidden_states(tokens: Tensor, *weights: Tensor, kernel: str = "auto", masked: bool = False) -> Tensor:
    """Run the BiLSTM over every text; arguments and errors as in `pooled_states`.

    Returns:
        Hidden states of every time step, shape (M, B, T, 2H); masked, those of padded steps are below 1e-9.
    """
    return _run(tokens, weights, kernel, masked=masked, pooling=False)


def _run(tokens: Tensor, weights: Sequence[Tensor], kernel: str, *, masked: bool, pooling: bool) -> Tensor:
    embedding, *_, recurrent = weights
    kernel = "lstm" if kernel == "auto" and is_recorded() else kernel  # compiled loops are nothing that can be recorded
    form = _form(kernel, embedding.device.type, embedding.dtype, recurrent.shape[-2])
    tokens = check_tokens(tokens, embedding.shape[1])
    if masked and pooling:
        tokens = trimmed(tokens)
    states: Tensor = form.run(tokens, *weights, masked=masked, pooling=pooling)
    return states


@functools.cache
def _form(kernel: str, device: str, kind: dtype, units: int) -> ModuleType:
    """Return the module of a form; cached, so that a fallback is logged once."""
    if kernel not in KERNELS:
        raise ConfigError(f"kernel={kernel!r} is unknown; choose one of {', '.join(KERNELS)}")
    fast = device in ("cpu", "cuda") and kind == float32
    name = kernel if kernel != "auto" else device if fast else "lstm"
    if name not in ("cpu", "cuda"):
        return importlib.import_module(f"lit_al.models.kernels.{name}")
    form = _compiled_form(name, device, kind, units)
    if isinstance(form, ModuleType):
        return form
    if kernel != "auto":
        raise ConfigError(f"kernel={kernel!r} {form}; use kernel='auto'")
    log.warning("kernel=%r %s; using the slower kernel='lstm'", name, form)
    return importlib.import_module("lit_al.models.kernels.lstm")


def _compiled_form(name: str, device: str, kind: dtype, units: int) -> ModuleType | str:
    """Return the module of the `cpu` or the `cuda` form, or what keeps it from running these tensors."""
    if kind != float32 or (name == "cpu" and device != "cpu"):
        return f"runs float32 on {name.upper()} but got {kind} on {device}"
    try:
        module = importlib.import_module(f"lit_al.models.kernels.{name}")
    except ImportError as error:
        return f"needs {'numba' if name == 'cpu' else 'triton'} ({error})"
    reason: str | None = module.obstacle(device, units) if name == "cuda" else None
    return reason or module
