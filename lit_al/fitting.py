"""Fit with a Trainer in such a way that Ctrl-C means what it means elsewhere."""

import signal
import threading
from typing import Any

import lightning as L


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
