"""The page's other views in a real browser: browse, conflicts, suspects, management; many labels; small screens."""

import csv
import os
import time
import uuid
from contextlib import contextmanager
from pathlib import Path

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from lit_al.cli.main import main
from lit_al.record import Action, ModelVersion, NewEvent, Record
from lit_al.record.suspected import Suspected, keep
from lit_al.record.verdicts import conflicts

PHONE = (390, 844)
ROWS = "[...document.querySelectorAll('#rows button')]"
THINGS = ("card", "transfer", "refund", "account", "top up", "rate", "cash", "Ärger", "pin", "x", "id")
INTENTS = tuple(f"{thing} {what}" for what in ("lost", "declined", "pending", "fee", "limit", "how to", "wrong")
                for thing in THINGS)  # fmt: skip
LONG = ("Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichenverordnung", "شكوى بشأن تأخر وصول الطلب", "ok")


def say(record, item, annotator, label=None, action=Action.LABEL, **more):
    record.append(NewEvent(uuid.uuid4().hex, item, annotator, action, label=label, **more))


@contextmanager
def screen(page, size, scheme="light"):
    """The page on a screen of another size, touched where it is a phone's."""
    cdp = page.browser.execute_cdp_cmd
    metrics = {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": size == PHONE}
    cdp("Emulation.setDeviceMetricsOverride", metrics)
    cdp("Emulation.setTouchEmulationEnabled", {"enabled": size == PHONE})
    cdp("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
    try:
        yield
    finally:
        cdp("Emulation.clearDeviceMetricsOverride", {})
        cdp("Emulation.setTouchEmulationEnabled", {"enabled": False})
        cdp("Emulation.setEmulatedMedia", {"features": []})


def keys(page, *pressed):
    ActionChains(page.browser, duration=0).send_keys(*pressed).perform()


@pytest.fixture
def shared(page, helpers):
    """A run of 91 texts that ann and bob have labeled, and differ on 15 of; ann owns it and looks at it."""

    def begin(ties=15, texts=91, **settings):
        opened = page(texts=[f"text number {n}" for n in range(texts)], names="ann,bob", overlap=2, **settings)
        with Record.open(opened.folder, check=False) as record:
            for item in range(texts):
                say(record, item, "ann", "positive")
                say(record, item, "bob", "negative" if item < ties else "positive")
        return opened.open(opened.links[0])

    return begin


# --- Browse -----------------------------------------------------------------------------------------------------------


def test_search_finds_words_in_any_case_and_filters_narrow_it(page):
    page = page(texts=[f"{'A Gem' if n % 7 == 0 else 'Dull'} of a film, ÄRGER {n}" for n in range(100)])
    labeled = [page.label("1"), page.label("2")]
    page.press("f")
    page.saved(2)
    page.press("b")
    page.until(f"{ROWS}.length", 30)
    assert page.shown("browse-state") == "30 texts, and more"
    page.js("document.querySelector('#more').click()")
    page.until(f"{ROWS}.length", 60)
    assert page.js("document.activeElement.id") == "words"
    keys(page, "gEm of")
    page.until(f"{ROWS}.length", 15)
    assert page.js("document.querySelectorAll('#rows mark').length") == 15
    page.js("document.querySelector('#words').value = ''")
    keys(page, "ärger 41")
    page.until(f"{ROWS}.length", 1)
    keys(page, Keys.BACKSPACE * 10)
    for only, count in (("labeled", 2), ("unlabeled", 98), ("flagged", 1), ("noted", 0)):
        page.js(
            f"[document.querySelector('#only')].forEach((one) => {{ one.value = '{only}';"
            " one.dispatchEvent(new Event('change')) })"
        )
        page.until("document.querySelector('#browse-state').textContent.startsWith("
                   f"'{min(count, 30) or 'No'}')")  # fmt: skip
    page.js("(document.querySelector('#only').value = '', document.querySelector('#of-label').value = 'negative')")
    page.js("document.querySelector('#of-label').dispatchEvent(new Event('change'))")
    page.until(f"{ROWS}.length", 1)
    assert page.shown("rows").startswith(labeled[0])


def test_old_answer_is_corrected_from_the_list_by_the_same_keys(page):
    page = page()
    texts = [page.label("1") for _ in range(5)]
    page.saved(5)
    page.browser.refresh()
    page.until("S.oldest !== Infinity && !!shown()")
    page.press("b")
    keys(page, texts[1])
    page.until(f"{ROWS}.length", 1)
    keys(page, Keys.ARROW_DOWN, Keys.ENTER)
    page.until("document.querySelector('#text').textContent", texts[1])
    assert "Earlier answer: negative" in page.shown("facts")
    keys(page, "2")
    page.until("S.view", "browse")
    assert page.shown("rows") == f"{texts[1]}positive"
    keys(page, "l", "b", Keys.ESCAPE, "b")  # no key is lost to a field that is hidden by now
    assert page.js("[S.view, document.querySelector('#words').value]") == ["browse", texts[1]]
    page.until("waiting.events.length", 0)
    assert page.said() == {**dict.fromkeys(texts, "negative"), texts[1]: "positive"}
    with Record.open(page.folder, check=False) as record:
        assert record.last_seq() == 6  # nothing was overwritten
    keys(page, Keys.ESCAPE, "u")
    page.until("waiting.events.length", 0)
    assert page.said()[texts[1]] == "negative"
    assert page.text == texts[1]


def test_text_that_nobody_answered_is_opened_and_left_again(page):
    page = page()
    page.press("b")
    page.until(f"{ROWS}.length", 30)
    page.js(f"{ROWS}[7].click()")
    page.until("document.querySelector('#facts').textContent.startsWith('You have not answered')")
    keys(page, Keys.ESCAPE)
    page.until("S.view", "browse")
    page.js(f"{ROWS}[8].click()")
    page.until("S.view", "label")
    text = page.text
    keys(page, "2")
    page.until("S.view", "browse")
    page.until("waiting.events.length", 0)
    assert page.said() == {text: "positive"}


def test_browsing_is_blind_but_for_the_owner(shared):
    page = shared(ties=3, texts=12)
    page.press("b")
    page.until(f"{ROWS}.length", 12)
    assert page.js(f"{ROWS}[0].querySelector('.tags').textContent") == "ann: positivebob: negativetie"
    page.open(page.links[1]).press("b")
    page.until(f"{ROWS}.length", 12)
    assert page.js(f"{ROWS}[0].querySelector('.tags').textContent") == "negative"
    assert page.js("document.querySelectorAll('[data-go]').length") == 2
    refused = "fetch('/api/{}').then((answer) => answer.status)"
    asked = ("conflicts", "suspects", "settled", "browse?only=disagreement", "browse?annotator=ann")
    assert [page.js(refused.format(one)) for one in asked] == [403, 403, 403, 404, 404]


# --- Conflicts and suspects -------------------------------------------------------------------------------------------


def test_15_ties_among_91_texts_are_settled_by_one_key_each_and_exported(shared, tmp_path):
    page = shared()
    page.press("c")
    page.until("document.querySelector('#facts').textContent.startsWith('15 to settle. No label yet')")
    assert page.shown("votes") == "positive1 of 2: annnegative1 of 2: bob"
    page.shot("conflicts")
    expected = {}
    for number in range(15):
        text = page.until("shown() && document.querySelector('#text').textContent")
        key = "12"[number % 2]
        keys(page, key)
        expected[text] = ["negative", "positive"][number % 2]
        page.until(f"!shown() || document.querySelector('#text').textContent !== '{text}'")
    keys(page, "u")  # the last one is taken back, and settled the other way
    last = page.until("shown() && document.querySelector('#text').textContent")
    assert last == text
    keys(page, "2")
    expected[last] = "positive"
    page.until("document.querySelector('#notice').textContent.startsWith('All settled: 15 texts')")
    page.until("waiting.events.length", 0)
    with Record.open(page.folder, check=False) as record:
        verdicts, texts = record.verdicts(), {item.id: item.text for item in record.items()}
        settled = {texts[item]: one.label for item, one in verdicts.items() if one.settled_by == "ann"}
        assert len(conflicts(verdicts)) == 15
        assert sum(one.label is not None for one in verdicts.values()) == 91
        assert [event.action for event in record.events()].count(Action.SETTLE) == 16
    assert settled == expected
    exported(page.folder, tmp_path / "labels.csv", expected)
    page.browser.refresh()  # a settlement of an earlier day is taken back, too
    page.until("S.oldest !== Infinity")
    keys(page, "c")
    page.until("document.querySelector('#notice').textContent.startsWith('All settled')")
    keys(page, "u")
    page.until("waiting.events.length === 0 && document.querySelector('#text').textContent", last)


def exported(folder, path, expected):
    """See that an export holds all 91 labels, the settled ones among them."""
    assert main(["export", str(folder), "--to", str(path)]) == 0
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = {row["text"]: row["label"] for row in csv.DictReader(file)}
    assert len(rows) == 91
    assert {text: rows[text] for text in expected} == expected


def test_conflict_can_wait_and_is_gone_round(shared):
    page = shared(ties=3, texts=9)
    page.press("c")
    texts = []
    for key in ("s", "s", "s", Keys.ARROW_LEFT):
        texts.append(page.until("shown() && document.querySelector('#text').textContent"))
        keys(page, key)
    assert texts[3] == texts[0]
    assert page.text == texts[2]
    keys(page, "k")  # a tie has no label to keep
    assert page.text == texts[2]
    with Record.open(page.folder, check=False) as record:
        assert record.last_seq() == 18
    held = {"type": "keyDown", "key": "1", "text": "1", "code": "Digit1", "windowsVirtualKeyCode": 49}
    for repeat in (False, True, True):
        page.browser.execute_cdp_cmd("Input.dispatchKeyEvent", {**held, "autoRepeat": repeat})
    page.until("waiting.events.length", 0)
    with Record.open(page.folder, check=False) as record:
        assert record.last_seq() == 19  # a key that is held settles one text


def test_suspects_are_kept_or_corrected_and_not_asked_again(shared):
    page = shared(ties=0, texts=12)
    page.press("x")
    page.until("document.querySelector('#notice').textContent", "No list of labels that may be wrong was made yet.")
    assert page.shown("command") == f"lit-al suspects {page.folder.name}"
    with Record.open(page.folder, check=False) as record:
        found = [Suspected(item, "positive", "negative", 0.9, 0.02, True) for item in (4, 2, 7)]
        keep(record, [*found, Suspected(5, "negative", "positive", 0.9, 0.1, True)], 12, 3)  # the last one has changed
    page.browser.refresh()
    page.until("S.oldest !== Infinity")
    page.press("x")
    page.until("document.querySelector('#facts').textContent.startsWith('3 to look at. It is labeled positive.')")
    assert "says negative (90\u00a0%)" in page.shown("facts")
    assert "list of 12 labels, made just now" in page.shown("facts")
    page.shot("suspects")
    assert page.text == "text number 4"
    keys(page, "k")
    page.until("document.querySelector('#text').textContent", "text number 2")
    keys(page, "1")
    page.until("document.querySelector('#text').textContent", "text number 7")
    page.until("waiting.events.length", 0)
    with Record.open(page.folder, check=False) as record:
        settled = {item: one.label for item, one in record.verdicts().items() if one.settled_by}
    assert settled == {4: "positive", 2: "negative"}
    page.browser.refresh()
    page.until("S.oldest !== Infinity")
    page.press("x")
    page.until("document.querySelector('#facts').textContent.startsWith('1 to look at')")


# --- Labels -----------------------------------------------------------------------------------------------------------


def opened(browser, start, helpers, folder, classes, texts=40):
    helpers.fill(folder, [f"text number {n}" for n in range(texts)], classes=classes).close()
    _, [link], _, _ = start("--run", folder.name, "--port", "0", "--annotators", "ann")
    return helpers.Page(browser, folder).open(link)


VISIBLE = "buttons().filter((one) => !one.hidden).map((one) => one.dataset.label)"


def test_one_of_77_labels_is_found_by_any_part_of_its_name(tmp_path, browser, start, helpers):
    page = opened(browser, start, helpers, tmp_path / "run", INTENTS)
    assert page.js("buttons().length") == 77
    expected = {page.text: "cash pending"}
    keys(page, "/", "h pend", Keys.ENTER)  # in the middle of a word, and across two
    page.saved(1)
    expected[page.text] = "pin fee"
    assert page.js("document.activeElement.id") == "filter"  # the next one is typed at once
    assert page.js(VISIBLE)[0] == "cash pending"  # given lately
    keys(page, "fee")
    assert page.js(VISIBLE)[:2] == ["card fee", "transfer fee"]
    for _ in range(8):
        keys(page, Keys.ARROW_DOWN)
    assert page.js("document.querySelector('#labels .active').dataset.label") == "pin fee"
    keys(page, Keys.ENTER)
    page.saved(2)
    keys(page, "arger")  # also without its marks
    assert page.js(VISIBLE) == [name for name in INTENTS if "Ärger" in name]
    keys(page, "zzz")
    assert page.shown("found") == "no label matches"
    keys(page, Keys.ENTER)
    keys(page, Keys.ESCAPE)
    expected[page.text] = INTENTS[9]
    keys(page, "0")
    page.saved(3)
    expected[page.text] = "pin fee"
    keys(page, "/")
    assert page.js(VISIBLE)[:3] == [INTENTS[9], "pin fee", "cash pending"]
    keys(page, Keys.ARROW_DOWN, Keys.ENTER)
    page.saved(4)
    assert page.said() == expected


def test_buttons_follow_the_class_list_while_the_page_is_open(page):
    page = page()
    page.js("document.dispatchEvent(new CustomEvent('status', {detail: {labels: ['negative', 'so so', 'positive'],"
            " controls: {},"
            " classes: {}, curve: [], words: {}, people: ['ann'], done: 0, total: 9}}))")  # fmt: skip
    assert page.js("buttons().map((one) => one.textContent)") == ["1negative", "2so so", "3positive"]
    assert not page.js("buttons()[1].disabled")
    assert page.js("[...document.querySelector('#of-label').options].map((one) => one.value)") == [
        "", "negative", "so so", "positive",
    ]  # fmt: skip


@pytest.mark.parametrize("classes", [INTENTS[:2], INTENTS[:5], INTENTS[:24], INTENTS, LONG],
                         ids=["2", "5", "24", "77", "long"])  # fmt: skip
def test_phone_shows_all_that_is_needed_and_cuts_no_name(tmp_path, browser, start, helpers, classes):
    page = opened(browser, start, helpers, tmp_path / "run", classes)
    with screen(page, PHONE):
        page.browser.refresh()
        page.until("S.oldest !== Infinity && !!shown()")
        page.shot(f"phone-{len(classes)}")
        assert page.js("document.documentElement.scrollWidth") <= PHONE[0]
        wanted = "[...document.querySelectorAll('#text, #saved, #labels, #tools button, nav button')]"
        off = page.js(f"{wanted}.filter((one) => {{ const box = one.getBoundingClientRect();"
                      f" return box.top < 0 || box.bottom > {PHONE[1]} || box.left < 0 || box.right > {PHONE[0]} }})"
                      ".map((one) => one.textContent)")  # fmt: skip
        assert off == []
        cut = page.js(
            "buttons().filter((one) => one.scrollWidth > one.clientWidth || one.scrollHeight > one.clientHeight"
            " || one.querySelector('span').offsetWidth > one.clientWidth).map((one) => one.textContent)"
        )
        assert cut == []
        assert page.js("document.querySelector('#text').getBoundingClientRect().bottom"
                       " <= document.querySelector('#bar').getBoundingClientRect().top")  # fmt: skip


# --- The panel, management, guidelines --------------------------------------------------------------------------------


def test_curve_and_accuracy_by_class_are_drawn(page, helpers):
    page = page(names="ann,bob")
    with Record.open(page.folder, check=False) as record:
        for version, share in ((1, 0.6), (2, 0.75), (3, 0.85)):
            estimate = {"accuracy": share, "low": share - 0.1, "high": share + 0.1, "rows": 30}
            record.add_model(ModelVersion(version, "m", "0", 0, 40 * version, {"estimate": estimate}))
        for item in range(6):
            say(record, item, "bob", "positive", predicted="positive" if item < 4 else "negative", control=True)
    page.open(page.links[0])
    page.until("document.querySelector('#curve polyline')?.getAttribute('points').split(' ').length", 3)
    assert page.js("document.querySelector('#curve').getAttribute('aria-label')").endswith(
        "to 85\u00a0% at 120 labels, between 75\u00a0% and 95\u00a0%"
    )
    assert page.shown("classes") == "negative0positive4 of 6 right6"


def test_owner_manages_by_the_agreed_requests(page):
    page = page(names="ann,bob")
    page.js("(window.really = window.fetch, window.asked = [], 0)")
    page.js("""(window.fetch = async (path, more) => path === '/api/manage'
        ? (asked.push(JSON.parse(more.body)), new Response('{"words": "Done so."}')) : really(path, more), 0)""")
    page.press("m")
    page.until("document.querySelector('#manage').open && document.querySelector('[name=into]').options.length === 2")
    keys(page, "1", "s")
    form = "document.querySelector('[data-manage={}]')"
    page.js(form.format("add-label") + ".names.value = 'so so, mixed'")
    page.js(form.format("add-label") + ".requestSubmit()")
    page.until("document.querySelector('#manage-state').textContent", "Done so.")
    page.js(form.format("rename-label") + ".to.value = 'bad'")
    page.js(form.format("rename-label") + ".requestSubmit()")
    page.until("asked.length", 2)
    for name in ("merge-labels", "remove-annotator"):
        before = page.js("asked.length")
        page.js(form.format(name) + ".requestSubmit()")
        page.until("document.querySelector('#manage-state').textContent.endsWith('Press again to do it.')")
        assert page.js("asked.length") == before
        page.js(form.format(name) + ".requestSubmit()")
        page.until("asked.length", before + 1)
        page.until("document.querySelector('#manage-state').textContent", "Done so.")
    assert page.js("asked") == [
        {"do": "add-label", "names": ["so so", "mixed"]},
        {"do": "rename-label", "old": "negative", "new": "bad"},
        {"do": "merge-labels", "names": ["negative"], "into": "positive"},
        {"do": "remove-annotator", "name": "bob"},
    ]
    page.js("(window.fetch = really, 0)")
    assert page.said() == {}


def test_guidelines_are_markdown_and_no_more(tmp_path, browser, start, helpers):
    browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": helpers.WATCH})
    evil = "\n\n".join([
        "# Be fair", "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "[a](javascript:alert(1))",
        "![b](https://example.com/x.png)", "[web](https://example.com)", "<style>body{display:none}</style>",
        "| a | b |\n|:-:|--:|\n| 1 | 2 |", '[c](https://example.com "x\\" onmouseover=alert(1)")',
    ])  # fmt: skip
    with helpers.fill(tmp_path / "run") as record:
        record.set_state("guidelines", {"text": evil})
    _, [link], _, _ = start("--run", "run", "--port", "0", "--annotators", "ann")
    page = helpers.Page(browser, tmp_path / "run").open(link)
    page.press("h")
    assert page.js("document.querySelector('#guidelines h3').textContent") == "Be fair"
    assert page.js("document.querySelector('#guidelines table td').textContent") == "1"
    assert "<script>alert(1)</script>" in page.shown("guidelines")
    assert page.js("document.images.length + document.querySelectorAll('#guidelines :is(script, style)').length") == 0
    links = page.js("[...document.querySelectorAll('#guidelines a')].map((one) => one.protocol + one.target + one.rel)")
    assert set(links) == {"https:_blanknoopener noreferrer"}
    keys(page, "h")
    with screen(page, (1680, 900)):
        assert page.js("document.querySelector('#guide').checkVisibility()")
    with screen(page, (1280, 900)):
        assert not page.js("document.querySelector('#guide').checkVisibility()")
    time.sleep(0.2)
    assert page.js("window.seen") == []


def test_markup_is_text_in_every_view(tmp_path, browser, start, helpers):
    browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": helpers.WATCH})
    evil, name = helpers.EVIL, "ann " + helpers.EVIL.replace(",", "")[:40]
    with helpers.fill(tmp_path / "run", [evil + str(n) for n in range(6)], ("good", evil), copies="none") as record:
        for item in range(4):
            say(record, item, name, evil)
            say(record, item, "bob", "good" if item < 2 else evil)
        say(record, 0, name, action=Action.NOTE, note=evil)
        keep(record, [Suspected(3, evil, "good", 0.9, 0.1, True)], 4, 1)
    _, links, _, _ = start("--run", "run", "--port", "0", "--annotators", f"{name},bob")
    page = helpers.Page(browser, tmp_path / "run").open(links[0])
    page.press("b")
    page.until(f"{ROWS}.length", 6)
    keys(page, evil[:20])
    page.until("document.querySelectorAll('#rows mark').length", 6)
    assert f"✎ {evil}" in page.shown("rows")
    keys(page, Keys.ESCAPE)
    page.press("c")
    page.until("document.querySelector('#facts').textContent.startsWith('2 to settle')")
    assert evil in page.shown("votes")
    page.press("x")
    page.until("document.querySelector('#facts').textContent.startsWith('1 to look at')")
    page.press("m")
    page.until("document.querySelector('[name=into]').options.length", 2)
    assert page.js("document.querySelector('[name=old]').options[1].textContent") == evil
    assert page.js("document.images.length") == 0
    assert page.js("window.seen") == []


# --- Accessibility ----------------------------------------------------------------------------------------------------


def axe():
    """The source of axe-core, if it is anywhere."""
    places = [os.environ.get("LIT_AL_NODE_MODULES", ""), "node_modules"]
    return next((path for place in places if place and (path := Path(place, "axe-core", "axe.min.js")).is_file()), None)


AXE = """
const [source, done] = arguments;
(0, eval)(source);
axe.run(document, { resultTypes: ['violations'] }).then((found) => done(found.violations
    .filter((one) => ['serious', 'critical'].includes(one.impact))
    .map((one) => `${one.id}: ${one.nodes.map((node) => node.html.slice(0, 90)).join(' | ')}`)));
"""


@pytest.mark.skipif(
    axe() is None, reason="axe-core is not here: npm i axe-core, and its node_modules in LIT_AL_NODE_MODULES"
)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [(1680, 900), PHONE], ids=["desk", "phone"])
def test_no_view_has_a_serious_fault_by_axe(shared, helpers, scheme, size):
    page = shared(ties=3, texts=12)
    with Record.open(page.folder, check=False) as record:
        keep(record, [Suspected(9, "positive", "negative", 0.9, 0.02, True)], 12, 1)
        for version in (1, 2):
            estimate = {"accuracy": 0.8, "low": 0.7, "high": 0.9, "rows": 30}
            record.add_model(ModelVersion(version, "m", "0", 0, 40 * version, {"estimate": estimate}))
    found = {}
    with screen(page, size, scheme):
        page.browser.refresh()
        page.until("S.oldest !== Infinity && document.querySelector('#curve polyline')")
        for view, pressed in (("label", "l"), ("browse", "b"), ("conflicts", "lc"), ("suspects", "x"), ("help", "h"),
                              ("manage", "hm")):  # fmt: skip
            if pressed[0] == "l" and page.js("S.view") == "browse":
                keys(page, Keys.ESCAPE)
            keys(page, *pressed)
            time.sleep(0.7)
            assert view in (page.js("S.view"), page.js("document.querySelector('dialog[open]')?.id"))
            found[view] = page.browser.execute_async_script(AXE, axe().read_text(encoding="utf-8"))
    assert {view: faults for view, faults in found.items() if faults} == {}


def test_words_in_new_views_can_be_clicked_by_a_thumb(shared):
    page = shared(ties=3, texts=12)
    with screen(page, PHONE):
        for key in "bcx":
            if page.js("S.view") == "browse":
                keys(page, Keys.ESCAPE)
            keys(page, key)
            time.sleep(0.5)
            assert page.js("document.documentElement.scrollWidth") <= PHONE[0]
            low = page.js(
                "[...document.querySelectorAll('button, select, input')].filter((one) => one.checkVisibility())"
                ".filter((one) => one.getBoundingClientRect().height < 40).map((one) => one.outerHTML)"
            )
            assert low == []
        assert page.browser.find_elements(By.CSS_SELECTOR, "nav [aria-current=page]")[0].text == "Suspects"
