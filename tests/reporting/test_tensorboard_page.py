"""TensorBoard's page, served and opened in a real browser: what a user of `TensorBoardLog` sees."""

import os
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from selenium import webdriver
from selenium.webdriver.support.ui import WebDriverWait

from lit_al.data import Corpus
from lit_al.loop.query import Query
from lit_al.loop.rounds import Round, Seconds
from lit_al.metrics import Confusion, Evaluation
from lit_al.reporting.tensorboard import TensorBoardLog
from lit_al.strategies import Choice
from lit_al.training.history import Epoch

SERVER_SECONDS, PAGE_SECONDS = 40, 20

# What is shown of a page: parts of TensorBoard's lie in shadow roots, which selectors do not enter.
SHOWN = """
const [selector, property] = arguments, found = [];
(function walk(root) {
    for (const element of root.querySelectorAll('*')) {
        if (element.shadowRoot) walk(element.shadowRoot);
        if (element.matches(selector) && element.checkVisibility() && element.getClientRects().length)
            found.push(element[property]);
    }
})(document);
return found;
"""


def write_run(folder: Path) -> None:
    """Three epochs, one round, a figure and the final test, on texts that try to break the page."""
    texts = ["a dull film", "tags <br /> and <script>document.title = 'broken'</script> | pipes", "a gem"]
    corpus = Corpus(texts, np.array([0, 0, 1]), ("negative", "positive"), is_demo=True)
    board = TensorBoardLog(folder, corpus, "DEMO CORPUS (generated text)")
    for number, accuracy in enumerate((0.5, 0.625, 0.6875)):
        board.epoch(Epoch(0, number, 0.7, 0.5, 0.6, accuracy, 4, 0.1))
    steering = Evaluation(0.5, Confusion(np.array([[6, 2], [1, 7]])))  # accuracy 13 / 16 = 0.8125
    probabilities = np.array([[0.75, 0.25], [0.5, 0.5], [0.125, 0.875]], dtype=np.float32)
    choice = Choice(np.arange(3), np.zeros(3), ("",) * 3, shares=(0.5, 0.5))
    query = Query(1, "ratio", choice, probabilities, answers=np.array([0, 0, 1]))
    board.round(Round(query, 7, Seconds(1.0), steering=steering))
    figure = Figure(figsize=(6.4, 4.8), dpi=100)
    figure.subplots().plot([0.7, 0.6, 0.5])
    FigureCanvasAgg(figure).draw()
    board.figure("loss", figure)
    board.test(steering)
    board.close()


def wait_for_address(server: "subprocess.Popen[bytes]", log: Path) -> str:
    """Where TensorBoard listens, once it has read the last event of the run."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + SERVER_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        time.sleep(0.1)
        address = re.search(r"http://127\.0\.0\.1:\d+/", log.read_text())
        if address is None:
            continue
        try:
            with direct.open(f"{address[0]}data/plugin/scalars/tags", timeout=5) as answer:
                if b"test/false_positives" in answer.read():
                    return address[0]
        except OSError:
            continue
    pytest.fail(f"TensorBoard (exit code {server.poll()}) showed no run in {SERVER_SECONDS} s:\n{log.read_text()}")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory, browser_programs: Callable[[], list[str]]) -> Iterator[str]:
    browser_programs()
    folder = tmp_path_factory.mktemp("tensorboard")
    runs, log = folder / "runs", folder / "log.txt"
    write_run(runs / "version_0")
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(runs), "--load_fast=false"]
    environment = {**os.environ, "TMPDIR": str(folder), "PYTHONWARNINGS": ""}
    with (
        log.open("wb") as output,
        subprocess.Popen(
            [*command, "--host", "127.0.0.1", "--port", "0"], stdout=output, stderr=output, env=environment
        ) as server,
    ):
        try:
            yield wait_for_address(server, log)
        finally:
            server.kill()


def open_tab(browser: webdriver.Chrome, address: str, tab: str) -> None:
    browser.get("about:blank")  # a new fragment alone would not load the page again
    browser.get(f"{address}#{tab}")


def eventually(browser: webdriver.Chrome, selector: str, key: str, accept: Callable[[object], bool]) -> list[object]:
    """The property `key` of all shown elements that fit the selector, once one of them is accepted."""

    def look(browser: webdriver.Chrome) -> list[object] | None:
        found = browser.execute_script(SHOWN, selector, key)
        return found if any(map(accept, found)) else None

    return WebDriverWait(browser, PAGE_SECONDS).until(look, f"no accepted {key} of {selector} on the page")


def screenshot(browser: webdriver.Chrome, path: Path) -> None:
    assert browser.save_screenshot(str(path))
    assert path.stat().st_size > 10_000  # not a blank page


@pytest.mark.parametrize(("tag", "value"), [("accuracy/val", "0.6875"), ("round/accuracy", "0.8125")])
def test_scalar_card_shows_its_last_value(browser, address, tmp_path, tag, value):
    open_tab(browser, f"{address}?tagFilter={tag}", "timeseries")  # without a filter most groups are folded
    eventually(browser, "scalar-card [title]", "title", lambda title: title == tag)
    eventually(browser, "scalar-card", "innerText", lambda text: value in text)
    screenshot(browser, tmp_path / "scalars.png")


def test_first_page_has_every_group(browser, address, tmp_path):
    open_tab(browser, address, "")
    titles = eventually(browser, "[title]", "title", lambda title: title == "accuracy/val")
    assert {"accuracy", "loss", "missed", "round", "share", "taken", "test"} <= set(titles)
    eventually(browser, "scalar-card", "innerText", lambda text: "0.6875" in text)
    screenshot(browser, tmp_path / "first.png")


def test_text_tab_shows_texts_picked_in_one_table(browser, address, tmp_path):
    open_tab(browser, address, "text")
    innermost = "td:not(:has(table))"  # TensorBoard puts every text into a table of its own
    shown = eventually(browser, innermost, "innerText", lambda text: text.strip() == "a gem")
    cells = [cell.strip() for cell in shown]
    start = cells.index("a dull film") - 3
    assert cells[start : start + 7] == ["0", "0.750", "0.250", "a dull film", "1", "0.500", "0.500"]
    assert cells[start + 8 : start + 12] == ["2", "0.125", "0.875", "a gem"]
    assert browser.title == "TensorBoard"  # the script among the texts did not run
    screenshot(browser, tmp_path / "text.png")


def test_text_tab_says_demo_corpus(browser, address):
    open_tab(browser, address, "text")
    eventually(browser, "p", "innerText", lambda text: text.startswith("DEMO CORPUS"))


def test_images_tab_shows_figure(browser, address, tmp_path):
    open_tab(browser, address, "images")
    widths = eventually(browser, "img", "naturalWidth", lambda width: width == 640)
    assert len(widths) == 1
    screenshot(browser, tmp_path / "images.png")


@pytest.mark.parametrize(("required", "outcome"), [("1", pytest.fail.Exception), ("", pytest.skip.Exception)])
def test_missing_browser_is_skipped_unless_required(monkeypatch, browser_programs, required, outcome):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setenv("LIT_AL_REQUIRE_BROWSER", required)
    with pytest.raises(outcome, match="chromium and chromedriver not on PATH"):
        browser_programs()
