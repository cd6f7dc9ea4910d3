"""A cluster of Ray: many cores, here or on other machines."""

import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from lit_al.exceptions import ConfigError
from lit_al.utils.terminal_text import first_line

PATIENCE: Final = 5.0  # seconds that an address has to answer
CLUSTER_HELP: Final = (
    "a Ray cluster: its address; or auto: the one that RAY_ADDRESS or this machine has, else one of this machine's own "
    "cores. Needs lit_al[cluster]."
)


@contextmanager
def cluster(address: str) -> Iterator[Any]:
    """The package `ray`, connected.

    Args:
        address: HOST:PORT; or "auto": the cluster that $RAY_ADDRESS or this machine has, else one of its own cores.

    Raises:
        ConfigError: it is not installed, or nothing answers at the address.
    """
    try:
        import ray
    except ImportError:
        raise ConfigError("--cluster needs Ray; install it with: pip install 'lit_al[cluster]'") from None
    try:
        if address != "auto":
            _knock(address)  # Ray itself waits for minutes
        ray.init(address=None if address == "auto" else address, log_to_driver=False, logging_level=logging.ERROR)
    except (OSError, ValueError, RuntimeError) as error:
        raise ConfigError(
            f"no Ray cluster answers at --cluster {address} ({first_line(error)}); start one with Ray (docs/scale.md), "
            "or give --cluster auto"
        ) from error
    try:
        yield ray
    finally:
        ray.shutdown()


def _knock(address: str) -> None:
    """Raises OSError or ValueError where nothing answers within seconds."""
    host, colon, port = address.rpartition("://")[2].rpartition(":")
    if not (colon and port.isdecimal()):
        raise ValueError("an address is HOST:PORT")
    socket.create_connection((host.strip("[]"), int(port)), timeout=PATIENCE).close()
