"""RMSprop as Keras 3 has it."""

from collections.abc import Callable, Iterable
from typing import Any, overload

import torch
from torch import Tensor


class RMSprop(torch.optim.Optimizer):
    """Divide each gradient by the root of its running mean square (Tieleman & Hinton 2012).

    `torch.optim.RMSprop` adds `eps` to the root, Keras 3 to the mean square below it. That is no detail here: most
    words are rare, their mean squares lie under 1e-7, and so the root of `eps` decides how far they may move.

    Args:
        params: parameters or groups.
        lr: learning rate.
        rho: memory of the running mean.
        eps: keeps the root away from zero.
    """

    def __init__(
        self,
        params: Iterable[Tensor] | Iterable[dict[str, Any]],
        lr: float = 1e-3,
        rho: float = 0.9,
        eps: float = 1e-7,
    ) -> None:
        super().__init__(params, {"lr": lr, "rho": rho, "eps": eps})

    @overload
    def step(self, closure: None = None) -> None: ...
    @overload
    def step(self, closure: Callable[[], float]) -> float: ...

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """One update of every parameter that has a gradient."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._update(parameter, parameter.grad, group["lr"], group["rho"], group["eps"])
        return loss

    def _update(self, parameter: Tensor, gradient: Tensor, lr: float, rho: float, eps: float) -> None:
        state = self.state[parameter]
        if not state:
            state["mean_square"] = torch.zeros_like(parameter)
        mean_square = state["mean_square"]
        mean_square.mul_(rho).addcmul_(gradient, gradient, value=1 - rho)
        parameter.addcdiv_(gradient, (mean_square + eps).sqrt_(), value=-lr)
