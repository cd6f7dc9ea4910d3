"""What many tests share: a tiny corpus whose sentiment is easy to learn, and a real browser."""

import os
import shutil
import signal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

from lit_al.data import Corpus

WORDS = {
    "negative": ["awful", "dull", "boring", "bad", "mess", "waste", "poor", "tedious"],
    "neutral": ["decent", "average", "middling", "usual", "ordinary", "plain", "fair", "common"],
    "positive": ["great", "lovely", "superb", "good", "gem", "joy", "fine", "moving"],
}
FILLER = ["the", "a", "film", "plot", "actor", "scene", "story", "it", "was", "and", "with", "of", "movie", "camera"]

PROGRAMS = ("chromium", "chromedriver")
ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",  # root in a container has none
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",  # this and the next two: it speaks to no one but the tests
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--window-size=1400,1000",
)

settings.register_profile("patient", deadline=None)  # Python's garbage collector pauses longer than a deadline is
settings.load_profile("patient")


def pytest_configure(config):
    """Ctrl-C, and a core for each worker: threads of several on the same cores would wait for each other."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # in a shell's background, where tests send it all the same
        signal.signal(signal.SIGINT, signal.default_int_handler)
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    if worker and hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[int(worker.removeprefix("gw")) % len(cores)]})
        os.environ.setdefault("OMP_NUM_THREADS", "1")


def build_corpus(rows=200, classes=("negative", "positive"), seed=0, unlabeled=0):
    """`rows` texts of 12 words, classes in turn; the last `unlabeled` rows have no label."""
    rng = np.random.default_rng(seed)
    labels = np.arange(rows) % len(classes)
    texts = []
    for label in labels:
        words = list(rng.choice(FILLER, 9)) + list(rng.choice(WORDS[classes[label]], 3))
        texts.append(" ".join(rng.permutation(words)))
    if unlabeled:
        labels[-unlabeled:] = -1
    return Corpus(texts, labels, tuple(classes), source="tiny")


@pytest.fixture(scope="session")
def make_corpus():
    return build_corpus


@pytest.fixture
def corpus():
    return build_corpus()


@pytest.fixture(scope="session")
def imdb_folder():
    """The folder of the real reviews; tests that ask for it are skipped without it."""
    for folder in (os.environ.get("LIT_AL_IMDB"), Path(__file__).parents[2] / "shared" / "data" / "imdb"):
        if folder and Path(folder, "train.parquet").is_file():
            return Path(folder)
    pytest.skip("the IMDB reviews are not here: set LIT_AL_IMDB to their folder")


@pytest.fixture(autouse=True, scope="session")
def _own_cache(tmp_path_factory):
    """Tests leave nothing in the user's cache, nor do they find anything there."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LIT_AL_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(autouse=True)
def _no_outside_corpus(monkeypatch):
    """`--data auto` must not depend on the machine's environment."""
    monkeypatch.delenv("LIT_AL_IMDB", raising=False)


def find_browser():
    """Paths of Chromium and its driver; without them a test is skipped, or fails where they must be there."""
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    if missing:
        reason = f"{' and '.join(missing)} not on PATH; on Debian: apt-get install chromium chromium-driver"
        if os.environ.get("LIT_AL_REQUIRE_BROWSER") == "1":
            pytest.fail(f"LIT_AL_REQUIRE_BROWSER=1, but {reason}")
        pytest.skip(reason)
    return [str(shutil.which(name)) for name in PROGRAMS]


@pytest.fixture(scope="session")
def browser_programs():
    return find_browser


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """Headless Chromium, with a profile of its own."""
    chromium, chromedriver = find_browser()
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    home = tmp_path_factory.mktemp("home")  # crash reports and caches go here, not into the user's own
    for argument in (*ARGUMENTS, f"--user-data-dir={home / 'profile'}"):
        options.add_argument(argument)
    places = {"HOME": str(home), "XDG_CONFIG_HOME": str(home / "config"), "XDG_CACHE_HOME": str(home / "cache")}
    driver = webdriver.Chrome(options=options, service=Service(chromedriver, env={**os.environ, **places}))
    try:
        yield driver
    finally:
        driver.quit()
