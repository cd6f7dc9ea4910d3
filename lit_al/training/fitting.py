"""Fit with a Trainer in such a way that Ctrl-C means what it means elsewhere; the plainest Trainer."""

import signal
import threading
from collections.abc import Mapping
from typing import Any

import lightning as L
import torch

from lit_al.exceptions import ConfigError
from lit_al.utils.failpoints import crash_point


def fit(trainer: L.Trainer, model: L.LightningModule, *data: Any) -> None:
    """`trainer.fit`; Lightning answers Ctrl-C by ignoring further ones and leaving the process, this hands it on.

    Lightning takes the model to the CPU when a fit ends. This takes it back to where it learned, for there it is judged
    and scores the pool.

    Raises:
        KeyboardInterrupt: Ctrl-C.
    """
    main = threading.current_thread() is threading.main_thread()
    handler = signal.getsignal(signal.SIGINT) if main else None
    try:
        trainer.fit(model, *data)
    except SystemExit:
        if trainer.interrupted:
            raise KeyboardInterrupt from None
        raise
    finally:
        if main:
            signal.signal(signal.SIGINT, handler)
    model.to(trainer.strategy.root_device)


def plain_trainer(accelerator: str, *callbacks: L.Callback) -> L.Trainer:
    """A Trainer for one pass on one device, without validation: it prints nothing, logs nothing and keeps no file.

    Raises:
        ConfigError: an accelerator that is not here.
    """
    return trainer_on(
        {"accelerator": accelerator, "devices": 1},
        max_epochs=1,
        callbacks=[*callbacks, _MayCrash()],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        limit_val_batches=0,
    )


def trainer_on(hardware: Mapping[str, Any], **options: Any) -> L.Trainer:
    """A Trainer on the hardware named.

    Raises:
        ConfigError: an accelerator, device or precision that is not here.
    """
    try:
        return L.Trainer(**hardware, **options)
    except (ValueError, RuntimeError, TypeError, ImportError) as error:
        named = ", ".join(f"{name} {value!r}" for name, value in hardware.items())
        raise ConfigError(f"Lightning cannot run with {named}: {str(error).splitlines()[0]}") from error


def device_of(accelerator: str) -> torch.device:
    """Where a fit with `plain_trainer` runs.

    Raises:
        ConfigError: an accelerator that is not here.
    """
    return plain_trainer(accelerator).strategy.root_device


class _MayCrash(L.Callback):
    """A place where tests end the process."""

    def on_train_batch_end(self, *_: Any) -> None:
        """After a step."""
        crash_point("in_fit")
