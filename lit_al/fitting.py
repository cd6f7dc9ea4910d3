"""Fit with a Trainer in such a way that Ctrl-C means what it means elsewhere; the plainest Trainer."""

import signal
import threading
from typing import Any

import lightning as L

from lit_al.faults import crash_point


def fit(trainer: L.Trainer, model: L.LightningModule, *data: Any) -> None:
    """`trainer.fit`; Lightning answers Ctrl-C by ignoring further ones and leaving the process, this hands it on.

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


def plain_trainer(accelerator: str, *callbacks: L.Callback) -> L.Trainer:
    """A Trainer for one pass on one device, without validation: it prints nothing, logs nothing and keeps no file."""
    return L.Trainer(
        max_epochs=1,
        accelerator=accelerator,
        devices=1,
        callbacks=[*callbacks, _MayCrash()],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        limit_val_batches=0,
    )


class _MayCrash(L.Callback):
    """A place where tests end the process."""

    def on_train_batch_end(self, *_: Any) -> None:
        """After a step."""
        crash_point("in_fit")
