"""Lightning says nothing of itself, neither in its log nor in warnings: what matters to a user is in the report."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

LOUD: Final = ("lightning", "lightning.pytorch", "lightning.fabric")  # loggers


def quiet() -> None:
    """For good."""
    for name in LOUD:
        logging.getLogger(name).setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module="lightning")


@contextmanager
def quietly() -> Iterator[None]:
    """Inside; afterwards as before."""
    loggers = [logging.getLogger(name) for name in LOUD]
    levels = [logger.level for logger in loggers]
    with warnings.catch_warnings():
        quiet()
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)
