"""Data sets of the Hugging Face hub or its cache: the cache first, the hub only if it answers within seconds.

`datasets` is imported only when one is asked for. Whatever else is asked of the hub takes the same steps: `offline`,
then `why_unreachable`, all of it `quiet`.
"""

import logging
import os
import queue
import ssl
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPException
from pathlib import Path
from typing import Any, TypeVar
from urllib.error import HTTPError, URLError
from urllib.request import Request, build_opener

from lit_al.data.arrow_tables import read_parquet
from lit_al.data.tables import Reading
from lit_al.exceptions import DataError
from lit_al.utils.readers import check_text

REPOSITORY = "stanfordnlp/imdb"
SPLITS = ("train", "test")
FILES = tuple(f"plain_text/{split}-00000-of-00001.parquet" for split in SPLITS)
PATIENCE = 4.0  # seconds that the hub has to say where its files are
LOUD = ("datasets", "huggingface_hub", "transformers", "sentence_transformers")  # loggers

T = TypeVar("T")
Rows = tuple[list[str], list[object]]  # texts and labels, train before test


class HubError(DataError):
    """A data set is neither in the cache nor to be had from the hub; the text is the reason, without a full stop."""


def load_imdb() -> Rows:
    """IMDB's reviews and labels (0 negative, 1 positive), train before test.

    Raises:
        HubError: no copy in the cache, and no hub that answers; known within seconds.
    """
    return _loaded("IMDB", REPOSITORY, None, _rows, _from_downloads)


def load_splits(repository: str, config: str | None = None) -> Any:
    """The splits of any data set: a `datasets.DatasetDict`.

    Args:
        repository: `owner/name`, or the name alone of those without an owner.
        config: of data sets that have several.

    Raises:
        HubError: no copy in the cache, and no hub that answers; known within seconds.
    """
    return _loaded(repository, repository, config, lambda splits: splits, lambda: None)


def _loaded(
    name: str, repository: str, config: str | None, taken: Callable[[Any], T], downloaded: Callable[[], T | None]
) -> T:
    """What is taken of a data set: from the cache, from files that were downloaded, or from the hub."""
    try:
        import datasets
    except ImportError as error:
        raise HubError(f"{name} comes from the hub through the package datasets, which is missing ({error})") from None
    with quiet(datasets.utils):
        found = _from_cache(datasets, repository, config, taken, downloaded)
        if found is not None:
            return found
        silence = _why_silent(datasets, repository)
        if silence:
            raise HubError(f"{name} is not in the cache of the Hugging Face hub, and {silence}")
        try:
            return taken(datasets.load_dataset(repository, config))
        except Exception as error:  # of a dozen libraries' own kinds: all mean the same here
            reason = f"{type(error).__name__}: {error}".split("\n", 1)[0][:200]
            raise HubError(f"the Hugging Face hub answers, but loading {repository} failed ({reason})") from error


def endpoint() -> str:
    """The hub's address: `$HF_ENDPOINT`, else the public one."""
    return os.environ.get("HF_ENDPOINT", "").rstrip("/") or "https://huggingface.co"


def why_unreachable(
    endpoint: str, seconds: float = PATIENCE, file: str = f"datasets/{REPOSITORY}/resolve/main/{FILES[0]}"
) -> str | None:
    """Why the hub does not answer, or None if it does; takes `seconds` at most, even where a name look-up hangs.

    Args:
        endpoint: address of the hub.
        seconds: that it has.
        file: that it is asked for; any answer, a refusal too, is an answer.
    """
    answers: queue.SimpleQueue[str | None] = queue.SimpleQueue()

    def ask() -> None:
        answers.put(_ask(endpoint, 2 * seconds, file))  # the deadline is the queue's; this one only ends the thread

    threading.Thread(target=ask, daemon=True).start()
    try:
        return answers.get(timeout=seconds)
    except queue.Empty:
        return f"{endpoint} does not answer within {seconds:g} s"


def _ask(endpoint: str, timeout: float, file: str) -> str | None:
    """One HEAD request for a file, led on to the host that stores it, through the environment's proxies."""
    try:
        with build_opener().open(Request(f"{endpoint}/{file}", method="HEAD"), timeout=timeout):
            return None
    except HTTPError as error:
        error.close()
        refused = error.code >= 500 or error.code == 407  # 407: a proxy that wants a password
        return f"{endpoint} answers {error.code} {error.reason}" if refused else None
    except URLError as error:
        if isinstance(error.reason, ssl.SSLCertVerificationError):
            return None  # something answers; the hub's client brings its own certificates and judges by them
        return f"{endpoint} cannot be reached ({error.reason})"
    except (OSError, ValueError, HTTPException) as error:
        return f"{endpoint} cannot be reached ({error})"


def _why_silent(datasets: Any, repository: str) -> str | None:
    """Why the hub is not to be asked, or does not answer."""
    if datasets.config.HF_HUB_OFFLINE:
        return "HF_HUB_OFFLINE or HF_DATASETS_OFFLINE forbids asking the hub"
    file = FILES[0] if repository == REPOSITORY else "README.md"
    return why_unreachable(endpoint(), file=f"datasets/{repository}/resolve/main/{file}")


def _from_cache(
    datasets: Any,
    repository: str,
    config: str | None,
    taken: Callable[[Any], T],
    downloaded: Callable[[], T | None],
) -> T | None:
    """A data set as `datasets` has prepared it, else as the hub's client has downloaded it, else None."""
    with offline(datasets.config):
        try:
            return taken(datasets.load_dataset(repository, config))
        except Exception:  # not there, half there, or in a folder that cannot be locked
            with suppress(DataError, KeyError):
                return downloaded()
    return None


def _from_downloads() -> Rows | None:
    """IMDB from the Parquet files that the hub's client keeps, if both are there."""
    from huggingface_hub import try_to_load_from_cache

    texts: list[str] = []
    labels: list[object] = []
    for file in FILES:
        path = try_to_load_from_cache(REPOSITORY, file, repo_type="dataset")
        if not isinstance(path, str):
            return None
        table = read_parquet(Path(path), Reading())
        texts += [check_text(text, path) for text in table.column("text")]
        labels += table.column("label")
    return texts, labels


def _rows(splits: Any) -> Rows:
    columns = [splits[split][:] for split in SPLITS]
    texts = [text for column in columns for text in column["text"]]
    return texts, [label for column in columns for label in column["label"]]


@contextmanager
def offline(*modules: Any) -> Iterator[None]:
    """Forbid requests to the hub for a while: its client, and these modules, read a constant at each request."""
    from huggingface_hub import constants

    switches = (constants, *modules)
    before = [module.HF_HUB_OFFLINE for module in switches]
    for module in switches:
        module.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        for module, value in zip(switches, before, strict=True):
            module.HF_HUB_OFFLINE = value


@contextmanager
def quiet(*modules: Any) -> Iterator[None]:
    """Silence progress bars, log lines and warnings of the hub's client, and of these modules' bars, for a while."""
    from huggingface_hub import utils as hub

    loggers = [logging.getLogger(name) for name in LOUD]
    levels = [logger.level for logger in loggers]
    noisy = [module for module in (hub, *modules) if not module.are_progress_bars_disabled()]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        for module in noisy:
            module.disable_progress_bars()
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)
            for module in noisy:
                module.enable_progress_bars()
