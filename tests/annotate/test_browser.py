"""The labeling page in a real browser: what an annotator sees and does, and what is on record after it."""

import time

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from lit_al.record import Item, Record, sha256_of
from lit_al.record.own_columns import OwnColumns

COLUMNS = {
    "order_id": "ORD-9000", "subject": "a long one " * 100, "link": "https://example.com/" + "x" * 300,
    "מספר": "שלום, (דחוף) 7", "a name of a column that is as long as a sentence, or longer": 1.5,
}  # fmt: skip
LEAVING = "!dispatchEvent(new Event('beforeunload', {cancelable: true}))"
CONTRAST = """
const light = (color) => {
    const [r, g, b] = color.match(/[\\d.]+/g).map((part) => part / 255)
        .map((part) => part <= .03928 ? part / 12.92 : ((part + .055) / 1.055) ** 2.4);
    return .2126 * r + .7152 * g + .0722 * b;
};
const behind = (element) => {
    const color = getComputedStyle(element).backgroundColor;
    return color === 'rgba(0, 0, 0, 0)' ? behind(element.parentElement) : color;
};
return [...document.querySelectorAll('body *')].filter((one) => one.childNodes.length && one.checkVisibility()
        && [...one.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim()) && !one.disabled)
    .map((one) => {
        const [a, b] = [light(getComputedStyle(one).color), light(behind(one))].sort((x, y) => y - x);
        return [(a + .05) / (b + .05), one.tagName + ' ' + one.textContent.trim().slice(0, 30)];
    });
"""


def test_thirty_texts_by_keys_with_undo_skip_and_reload(page):
    page = page()
    expected = {}
    for number in range(30):
        expected[page.label("12"[number % 2])] = ["negative", "positive"][number % 2]
        if number == 9:
            expected[page.label("s")] = None
        if number in (4, 19):  # two back, then on again, the other way
            page.press("u", Keys.BACKSPACE)
            for key, name in (("1", "negative"), ("2", "positive")):
                expected[page.label(key)] = name
        if number == 14:
            page.saved(16)
            page.browser.refresh()
            page.until("S.oldest !== Infinity && !!shown()")
    page.saved(31)
    assert len(expected) == 31
    assert page.said() == expected
    page.shot("light")


def test_undo_goes_back_before_a_reload_to_the_first_answer(page):
    page = page(texts=["one", "two", "three", "four"])
    order = [page.label("1") for _ in range(3)]
    page.saved(3)
    page.browser.refresh()
    page.until("S.oldest !== Infinity && !!shown()")
    back = []
    for undo in ("u", Keys.BACKSPACE):
        page.press(undo)
        back.append(page.text)
    ActionChains(page.browser).key_down(Keys.CONTROL).send_keys("z").key_up(Keys.CONTROL).perform()
    back.append(page.text)
    assert back == order[::-1]
    page.saved(0)
    page.press("u")
    assert page.shown("alert") == "There is no answer to take back."
    assert page.said() == {}


def test_killed_server_loses_nothing_and_the_queue_drains(page):
    page = page()
    expected = {page.label("1"): "negative" for _ in range(7)}
    page.saved(7)
    page.until("S.upcoming.length >= 5")  # enough in hand to label on
    page.server.kill()
    page.server.wait()
    for _ in range(4):
        expected[page.label("2")] = "positive"
    page.press("u")
    expected.popitem()
    page.until("document.querySelector('#saved').textContent.startsWith('5 unsaved')")  # 4 labels and an undo
    page.shot("offline")
    asked = "performance.getEntriesByName(`${location.origin}/api/events`).length"
    before = page.js(asked)
    time.sleep(3)
    assert page.js(asked) - before <= 4  # it tries again, but does not hammer
    assert len(page.said()) == 7
    page.serve()
    page.saved(10)
    assert page.said() == expected
    with Record.open(page.folder) as record:
        assert len({event.uuid for event in record.events()}) == record.last_seq() == 12


def test_unsaved_answers_outlive_the_tab(page):
    page = page()
    page.browser.execute_cdp_cmd("Network.enable", {})
    page.browser.execute_cdp_cmd("Network.setBlockedURLs", {"urls": ["*/api/events"]})
    expected = {page.label("2"): "positive" for _ in range(3)}
    page.until("document.querySelector('#saved').textContent.startsWith('3 unsaved')")
    assert page.js(LEAVING)  # the browser asks whether to leave
    page.browser.refresh()  # a driver leaves all the same
    page.until("waiting.events.length", 3)
    page.browser.execute_cdp_cmd("Network.setBlockedURLs", {"urls": []})
    page.saved(3)
    assert page.said() == expected
    assert page.js("Object.keys(localStorage).length") == 0
    assert not page.js(LEAVING)


def test_answers_lost_on_the_way_back_are_not_doubled(page):
    page = page()
    page.js("(window.really = window.fetch, 0)")
    # The server takes them, but its word never arrives.
    page.js("(window.fetch = async (...given) => { await really(...given); throw new Error('cut') }, 0)")
    text = page.label("1")
    page.until("document.querySelector('#saved').textContent.startsWith('1 unsaved')")
    page.js("(window.fetch = really, 0)")
    page.saved(1)
    assert page.said() == {text: "negative"}
    with Record.open(page.folder) as record:
        assert record.last_seq() == 1


def test_full_disk_is_told_and_the_answer_kept(page):
    page = page()
    page.js("(window.really = window.fetch, 0)")
    page.js("(window.full = JSON.stringify({error: 'not saved: the disk is full'}), 0)")
    page.js("""(window.fetch = async (path, ...more) => path === '/api/events'
        ? new Response(full, {status: 503}) : really(path, ...more), 0)""")
    text = page.label("1")
    page.until("document.querySelector('#saved').textContent", "1 unsaved – not saved: the disk is full")
    page.js("(window.fetch = really, 0)")
    page.saved(1)
    assert page.said() == {text: "negative"}


def test_run_that_is_gone_is_told_and_the_queue_kept_until_it_is_back(page):
    page = page()
    expected = {page.label("1"): "negative" for _ in range(3)}
    page.saved(3)
    away = page.folder.with_name("away")
    page.folder.rename(away)
    sentence = "record.sqlite was deleted or renamed while it was open, and nothing is saved any more"
    page.until(f"document.querySelector('#saved').textContent.includes('{sentence}')")  # before anything is sent
    expected |= {page.label("2"): "positive" for _ in range(2)}
    page.until(f"/^2 unsaved – .*{sentence}/.test(document.querySelector('#saved').textContent)")
    assert page.js("document.querySelector('#saved').classList.contains('bad')")
    assert page.js("Object.keys(localStorage).length") == 2
    assert page.js(LEAVING)
    page.shot("gone")
    away.rename(page.folder)
    page.saved(5)
    assert page.said() == expected
    assert page.js("Object.keys(localStorage).length") == 0


def test_two_annotators_get_texts_of_their_own(page):
    page = page(names="ann,bob")
    mine = {page.label("1") for _ in range(6)}
    page.saved(6)
    page.open(page.links[1])
    assert page.shown("who") == "bob"
    theirs = {page.label("2") for _ in range(6)}
    page.saved(6)
    assert not mine & theirs
    assert set(page.said("ann").values()) == {"negative"}
    assert set(page.said("bob").values()) == {"positive"}
    page.press(Keys.ARROW_LEFT)
    assert page.text in theirs
    assert "All together: 12 of 40 texts done" in page.until("document.querySelector('#done').textContent")


def test_earlier_answer_is_looked_at_changed_and_changed_back(page):
    page = page()
    texts = [page.label("1") for _ in range(3)]
    page.press(Keys.ARROW_LEFT, Keys.ARROW_LEFT)
    assert page.text == texts[1]
    assert page.js("document.querySelector('[data-label=negative]').getAttribute('aria-pressed')") == "true"
    page.press("2")
    page.saved(3)
    assert page.said()[texts[1]] == "positive"
    page.press("u")
    page.until("waiting.events.length", 0)
    assert page.said()[texts[1]] == "negative"
    assert page.text == texts[1]
    page.press(Keys.ARROW_RIGHT)
    assert page.text not in texts


def test_flag_and_note_are_kept_over_a_reload(page):
    page = page()
    page.press("f", "n")
    ActionChains(page.browser).send_keys("is 1 film, u see", Keys.ENTER).perform()
    page.until("waiting.events.length", 0)
    assert "⚑ Flagged. Note: is 1 film, u see" in page.shown("facts")
    text = page.label("1")
    page.saved(1)
    page.browser.refresh()
    page.until("S.oldest !== Infinity && !!shown()")
    page.press(Keys.ARROW_LEFT)
    assert page.text == text
    assert "⚑ Flagged. Note: is 1 film, u see" in page.shown("facts")
    page.press("n")
    ActionChains(page.browser).send_keys("not this", Keys.ESCAPE).perform()
    assert "Note: is 1 film, u see" in page.shown("facts")
    assert page.said() == {text: "negative"}


def test_each_press_is_one_answer_and_browser_shortcuts_are_left_alone(page):
    page = page()
    first = page.text
    held = {"type": "keyDown", "key": "1", "text": "1", "code": "Digit1", "windowsVirtualKeyCode": 49}
    for repeat in (False, True, True, True):
        page.browser.execute_cdp_cmd("Input.dispatchKeyEvent", {**held, "autoRepeat": repeat})
    page.browser.execute_cdp_cmd("Input.dispatchKeyEvent", {**held, "type": "keyUp"})
    page.saved(1)
    for modifier in (1, 2, 4):  # Alt, Ctrl, Meta
        page.browser.execute_cdp_cmd("Input.dispatchKeyEvent", {**held, "modifiers": modifier, "text": ""})
    page.js("document.body.dispatchEvent(new KeyboardEvent('keydown', {key: '1', isComposing: true, bubbles: true}))")
    page.js("document.body.dispatchEvent(new KeyboardEvent('keydown', {key: '1', keyCode: 229, bubbles: true}))")
    time.sleep(0.3)
    assert page.said() == {first: "negative"}
    second, third = page.text, page.js("S.upcoming[1].text")
    ActionChains(page.browser, duration=0).key_down("1").key_down("2").key_up("1").key_up("2").perform()
    page.saved(3)
    assert page.said() == {first: "negative", second: "negative", third: "positive"}


def test_capitals_answer_as_small_letters_do(page):
    page = page()
    text = page.label("S")
    page.saved(1)
    assert page.said() == {text: None}
    page.press("U")
    page.saved(0)


def test_keys_in_fields_and_in_help_answer_nothing(page):
    page = page()
    page.press("?")
    page.until("document.querySelector('#help').open")
    assert "be fair" in page.shown("guidelines")
    page.shot("help")
    ActionChains(page.browser).send_keys("1", "u", "s").perform()
    ActionChains(page.browser).send_keys("h").perform()
    page.until("!document.querySelector('#help').open")
    page.press("n")
    ActionChains(page.browser).send_keys("12su").perform()
    assert page.js("document.querySelector('#note').value") == "12su"
    ActionChains(page.browser).send_keys(Keys.ESCAPE).perform()
    time.sleep(0.3)
    assert page.said() == {}


def test_focused_button_is_pressed_by_space_and_nothing_else_happens(page):
    page = page()
    text = page.text
    page.js("document.querySelector('[data-label=positive]').focus()")
    page.press(Keys.SPACE)
    page.saved(1)
    assert page.said() == {text: "positive"}
    second = page.text
    page.browser.find_element(By.CSS_SELECTOR, "[data-label=negative]").click()
    page.saved(2)
    third = page.label(Keys.SPACE)  # after a click, space skips as ever
    page.saved(3)
    assert page.said() == {text: "positive", second: "negative", third: None}


def test_label_counts_and_announcement(page):
    page = page()
    page.label("2")
    page.saved(1)
    assert page.js("document.querySelector('#saved').getAttribute('role')") == "status"
    assert page.shown("classes") == "negative0positive1"
    assert page.js("document.querySelector('#bar-done').value") == 1
    assert page.shown("done") == "1 labeled, of 40 texts."
    assert page.js("document.activeElement.id") == "text"  # a screen reader reads the next text


def test_suggestion_comes_after_the_answer(page, helpers):
    page = page()
    with Record.open(page.folder, check=False) as record:
        done = page.js("S.upcoming.map((one) => one.item)")
        helpers.rank(record, [item for item in range(40) if item not in done])
    while not page.until("shown()")["generation"]:
        page.label("1")
    assert "model" not in page.js("document.querySelector('#labels').textContent")
    page.label("1")
    page.until("document.querySelector('#thought').textContent", "Last: negative · the model: positive (75\u00a0%)")


def test_suggestion_comes_before_the_answer_on_request(tmp_path, browser, start, helpers, page):
    with helpers.fill(tmp_path / "run", show_suggestions=True) as record:
        helpers.rank(record, range(12))
    _, [link], _, _ = start("--run", "run", "--port", "0", "--annotators", "ann")
    shown = helpers.Page(browser, tmp_path / "run").open(link)
    assert shown.js("document.querySelector('[data-label=positive]').textContent") == "2positivemodel: 75\u00a0%"


def test_ends_are_told_apart(page):
    page = page(texts=["one", "two"], names="ann,bob")
    page.open(page.links[1])
    assert page.shown("notice").startswith("All texts that are left are with others")
    page.open(page.links[0])
    page.label("1")
    page.label("s")
    page.until("document.querySelector('#notice').textContent.startsWith('Only texts that you skipped')")
    page.press(Keys.ARROW_LEFT)
    page.press("2")
    page.until("document.querySelector('#notice').textContent.startsWith('All done')")
    assert sorted(page.said().values()) == ["negative", "positive"]


def test_long_text_is_shown_whole_on_request(page):
    page = page(texts=["x " * 400_000, "y " * 400_000])
    assert page.js("document.querySelector('#text').textContent.length") == 20_000
    button = page.browser.find_element(By.ID, "all")
    assert button.text == "Show all 800,000 characters"
    page.js("document.querySelector('#all').click()")
    page.until("document.querySelector('#text').textContent.length", 800_000)
    page.label("1")
    page.saved(1)


def test_more_labels_than_keys_are_found_by_typing(tmp_path, browser, start, helpers):
    classes = [f"kind {letter}" for letter in "abcdefghijklm"]
    helpers.fill(tmp_path / "run", classes=classes).close()
    _, [link], _, _ = start("--run", "run", "--port", "0", "--annotators", "ann")
    page = helpers.Page(browser, tmp_path / "run").open(link)
    text = page.text
    page.press("/")
    ActionChains(browser).send_keys("kind k").perform()
    assert page.js("buttons().filter((one) => !one.hidden).map((one) => one.dataset.label)") == ["kind k"]
    page.shot("many-labels")
    ActionChains(browser).send_keys(Keys.ENTER).perform()
    page.saved(1)
    second = page.text
    ActionChains(browser).send_keys(Keys.ESCAPE).perform()
    page.press("0")
    page.saved(2)
    assert page.said() == {text: "kind k", second: "kind j"}


def test_markup_everywhere_is_shown_as_text(tmp_path, browser, start, helpers):
    browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": helpers.WATCH})
    name = "ann " + helpers.EVIL.replace(",", "")[:40]
    with helpers.fill(
        tmp_path / "run",
        [helpers.EVIL + str(n) for n in range(6)],
        ("good", helpers.EVIL),
        {helpers.EVIL: helpers.EVIL},
    ) as record:
        record.set_state("guidelines", {"text": helpers.EVIL})
        record.set_state("trainer", {"state": "failed", "detail": helpers.EVIL, "heartbeat": 0, "labels": 0})
    _, [link], _, _ = start("--run", "run", "--port", "0", "--annotators", name)
    page = helpers.Page(browser, tmp_path / "run").open(link)
    assert page.text.startswith(helpers.EVIL)
    assert page.shown("beside") == helpers.EVIL + helpers.EVIL
    page.label("2")
    page.saved(1)
    assert page.shown("thought") == f"Last: {helpers.EVIL}"
    page.press("h")
    assert page.shown("guidelines").strip() == helpers.EVIL
    page.press("h", "n")
    ActionChains(browser).send_keys(helpers.EVIL, Keys.ENTER).perform()
    assert helpers.EVIL in page.shown("facts")
    page.js("keep('label', S.upcoming[0], {label: '<img src=x onerror=alert(2)>'})")
    page.until("document.querySelector('#alert').textContent.includes('<img src=x')")
    assert page.js("document.images.length") == 0
    assert page.js("window.seen") == []
    assert browser.title == "run · lit_al"


def test_right_to_left_text_and_lines_stay_as_they_are(page):
    arabic = "فيلم رائع\n  حقا"
    page = page(texts=[arabic, arabic + "."])
    assert page.text.startswith(arabic)
    assert page.js("getComputedStyle(document.querySelector('#text')).direction") == "rtl"
    assert page.js("getComputedStyle(document.querySelector('#text')).whiteSpaceCollapse") == "preserve"


def test_columns_stand_beside_their_text_also_when_one_looks_back(tmp_path, browser, start, helpers):
    with helpers.fill(tmp_path / "run", []) as record:
        items = [Item(n, sha256_of(f"text {n}"), f"text {n}", {"order": f"ORD-{n}", "who": "רוני"}) for n in range(4)]
        record.add_items(items)
        OwnColumns("order", None, ("who",)).keep(record)
    _, [link], _, _ = start("--run", "run", "--port", "0", "--annotators", "ann")
    page = helpers.Page(browser, tmp_path / "run").open(link)
    for key in ("1", "2", "s", Keys.ARROW_LEFT, Keys.ARROW_LEFT, "u"):
        number = page.until("shown() && document.querySelector('#text').textContent").removeprefix("text ")
        assert page.shown("beside") == f"orderORD-{number}whoרוני"
        page.press(key)
    assert page.js("getComputedStyle(document.querySelectorAll('#beside dd')[1]).direction") == "rtl"


def test_link_from_another_site_lets_in(page):
    page = page()
    page.browser.delete_all_cookies()
    page.browser.get(f"http://localhost:{page.port}/")  # another site than 127.0.0.1, to a browser
    assert "open the link" in page.shown("notice")
    page.browser.execute_script("location.href = arguments[0]", page.links[0])
    page.until("location.hostname === '127.0.0.1' && location.search === '' && !!document.querySelector('#text')")


def test_link_that_is_no_longer_valid_is_told_and_answers_are_kept(page):
    page = page()
    with Record.open(page.folder, check=False) as record:
        record.remove_annotator("ann")
    page.label("1")
    page.until(
        "document.querySelector('#saved').textContent", "1 unsaved – this link is no longer valid; open yours again"
    )
    with Record.open(page.folder, check=False) as record:
        record.add_annotator("ann", page.links[0].split("=")[1])
    page.saved(1)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), [(1280, 860), (390, 844)], ids=["desk", "phone"])
def test_every_word_can_be_read_and_nothing_scrolls_sideways(page, scheme, width, height):
    page = page(texts=["A gem of a film, and a long one, too. " * 30, "Dull. " * 20] * 4, beside=COLUMNS)
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    screen = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
    page.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    page.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    try:
        page.label("1")
        page.saved(1)
        time.sleep(0.4)  # the flash of the button is over
        page.shot(f"{scheme}-{width}")
        too_faint = [found for found in page.browser.execute_script(CONTRAST) if found[0] < 4.5]
        assert too_faint == []
        assert page.js("document.documentElement.scrollWidth") <= width
        assert page.js("document.querySelector('#beside').scrollWidth <= document.querySelector('#beside').clientWidth")
        assert page.js("document.querySelector('#beside').clientHeight") <= 0.31 * height
        heights = page.js("[...document.querySelectorAll('button')].filter((one) => one.checkVisibility())"
                          ".map((one) => one.getBoundingClientRect().height)")  # fmt: skip
        assert min(heights) >= 44  # a thumb
    finally:
        page.browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        page.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
