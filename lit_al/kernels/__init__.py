"""The BiLSTM of a text classifier, in interchangeable forms behind one signature.

| form        | what it is                                              | where it runs              |
|-------------|---------------------------------------------------------|----------------------------|
| `cpu`       | the whole sequence in one compiled loop (numba)         | CPU, float32               |
| `lstm`      | torch's own LSTM (oneDNN, cuDNN)                        | any device, any float      |
| `reference` | one line of torch per formula; the truth for the others | any device, any float      |

``kernel="auto"`` takes the fastest form that can run the given tensors. All forms compute the same function with the
same gradients: embedding, two LSTM directions with zero initial state and one bias per gate, gate order i, f, g, o
(Keras: i, f, c, o), no masking. Importing this package is cheap; numba is imported when the CPU form first runs.

M counts the members of a committee (1 for a single network), B rows, T tokens, V vocabulary entries, E embedding
features, H units per direction.
"""

import functools
import importlib
import logging
from types import ModuleType

from torch import Tensor, dtype, float32

from lit_al.errors import ConfigError
from lit_al.kernels.fold import check_tokens

__all__ = ["KERNELS", "hidden_states", "pooled_states"]

KERNELS = ("auto", "cpu", "lstm", "reference")

log = logging.getLogger(__name__)


def pooled_states(
    tokens: Tensor, embedding: Tensor, input_kernel: Tensor, bias: Tensor, recurrent: Tensor, *, kernel: str = "auto"
) -> Tensor:
    """Run the BiLSTM over every text and keep each unit's maximum over time.

    A tie's gradient goes to the first time step that attains the maximum; NaN in any time step gives NaN.

    Args:
        tokens: Token ids, any integer dtype, shape (B, T) shared by all members or (M, B, T).
        embedding: Embedding tables, shape (M, V, E).
        input_kernel: Input weights, direction 0 forward and 1 backward in time, shape (M, 2, E, 4H).
        bias: Gate biases, shape (M, 2, 4H).
        recurrent: Recurrent weights, shape (M, 2, H, 4H).
        kernel: The form to run, one of `KERNELS`.

    Returns:
        Pooled states, shape (M, B, 2H): H forward units, then H backward units.

    Raises:
        ConfigError: If the kernel is unknown or cannot run these tensors.
        IndexError: If a token id is outside the embedding table (checked on CPU).

    >>> import torch
    >>> shapes = (1, 9, 4), (1, 2, 4, 12), (1, 2, 12), (1, 2, 3, 12)
    >>> pooled_states(torch.tensor([[1, 2, 0]]), *(torch.ones(shape) for shape in shapes)).shape
    torch.Size([1, 1, 6])
    """
    form = _form(kernel, embedding.device.type, embedding.dtype)
    tokens = check_tokens(tokens, embedding.shape[1])
    return form.pooled_states(tokens, embedding, input_kernel, bias, recurrent)  # type: ignore[no-any-return]


def hidden_states(
    tokens: Tensor, embedding: Tensor, input_kernel: Tensor, bias: Tensor, recurrent: Tensor, *, kernel: str = "auto"
) -> Tensor:
    """Run the BiLSTM over every text; arguments and errors as in `pooled_states`.

    Returns:
        Hidden states of every time step, shape (M, B, T, 2H).
    """
    form = _form(kernel, embedding.device.type, embedding.dtype)
    tokens = check_tokens(tokens, embedding.shape[1])
    return form.hidden_states(tokens, embedding, input_kernel, bias, recurrent)  # type: ignore[no-any-return]


@functools.cache
def _form(kernel: str, device: str, kind: dtype) -> ModuleType:
    """Return the module of a form; cached, so that a fallback is logged once."""
    if kernel not in KERNELS:
        raise ConfigError(f"kernel={kernel!r} is unknown; choose one of {', '.join(KERNELS)}")
    fits_cpu = device == "cpu" and kind == float32
    if kernel == "cpu" and not fits_cpu:
        raise ConfigError(f"kernel='cpu' runs float32 on CPU but got {kind} on {device}; use kernel='auto'")
    if kernel == "cpu" or (kernel == "auto" and fits_cpu):
        try:
            return importlib.import_module("lit_al.kernels.cpu")
        except ImportError as error:
            if kernel == "cpu":
                raise ConfigError(f"kernel='cpu' needs numba ({error}); install it or use kernel='auto'") from error
            log.warning("kernel='cpu' needs numba (%s); using the slower kernel='lstm'", error)
    return importlib.import_module("lit_al.kernels." + ("lstm" if kernel == "auto" else kernel))
