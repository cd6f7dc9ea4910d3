import re
from html.parser import HTMLParser

import pytest
from jinja2 import UndefinedError

from lit_al.reporting.pages import for_markdown, legible, render

NASTY = "<script>alert(\"x\")</script> & 'q' | `c` **b** [l](http://x) $m$ \x00\ud800‮"


def report(ending, text="plain", demo=False):
    """A benchmark's report, made of one text."""
    table = {"caption": text, "head": (text, "n"), "rows": ((text, "1"), (text, "2")), "texts": 1, "wide": True}
    section = {"heading": text, "picture": "curve", "alt": text, "tables": [table]}
    words = {"title": text, "subtitle": text, "lead": text, "measure": text, "caveats": [text, text]}
    verdicts = [{"finding": "open", "text": text}]
    pictures = {"curve": b"<svg/>"}
    return render(f"benchmark.{ending}", **words, verdicts=verdicts, sections=[section], pictures=pictures, demo=demo)


class Tags(HTMLParser):
    """Every tag and attribute of a page, and whether all that opens closes."""

    def __init__(self):
        super().__init__()
        self.open, self.seen, self.text, self.links = [], set(), "", []

    def handle_starttag(self, tag, attrs):
        self.seen.add(tag)
        self.links += [value for name, value in attrs if name in ("src", "href", "action", "data")]
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def parsed(page):
    tags = Tags()
    tags.feed(page)
    assert tags.open == []
    return tags


def test_html_escapes_every_text():
    tags = parsed(report("html", NASTY))
    assert not {"script", "b", "a"} & tags.seen
    assert (
        tags.text.count(legible(NASTY)) == 13
    )  # three at the top, measure, lead, verdict, two caveats, h2, four of the table


def test_html_loads_nothing_from_elsewhere():
    page = report("html", "see http://example.org")
    assert all(link.startswith("data:image/svg+xml;base64,") for link in parsed(page).links)
    assert "default-src 'none'" in page
    assert "@import" not in page
    assert "url(" not in page


def test_html_is_for_dark_rooms_and_narrow_screens():
    page = report("html")
    assert "prefers-color-scheme: dark" in page
    assert 'name="viewport"' in page
    assert '<html lang="en">' in page


@pytest.mark.parametrize("ending", ["html", "md"])
def test_a_report_can_be_written_whatever_the_text_holds(ending):
    assert "\x00" not in report(ending, NASTY).encode().decode()


def test_no_line_begins_with_a_percent_sign():
    assert '<p class="lead">95\u00a0% of it</p>' in report("html", "95 % of it")


def test_markdown_escapes_what_means_something():
    page = report("md", NASTY)
    assert "<script" not in page
    assert "[l](" not in page
    rows = [line for line in page.splitlines() if line.startswith("|")]
    assert {line.count("|") for line in rows} == {3}
    assert "![" in page
    assert page.count("](curve.svg)") == 1


def test_markdown_has_its_blocks_apart():
    blocks = report("md", "words").split("\n\n")
    assert blocks[:6] == ["# words", "words", "## Verdict, by words", "**words**", "words", "- words\n- words"]
    table = "| words | n |\n|---|---:|\n| words | 1 |\n| words | 2 |"
    assert blocks[6:11] == ["## words", "![words](curve.svg)", "words:", table, "## How this was computed"]
    assert blocks[-1][-1] == "\n"


@pytest.mark.parametrize("text", ["- no list", "1. no list", "# no heading", "+ no list", "a\n\nb"])
def test_markdown_text_stays_a_paragraph(text):
    line = for_markdown(text)
    assert "\n" not in line
    assert not re.match(r"[-+#]|\d+[.)]", line)


@pytest.mark.parametrize(("ending", "begin"), [("html", '<body>\n<p class="demo">'), ("md", "> **")])
def test_a_demo_says_so_first(ending, begin):
    assert f"{begin}DEMO CORPUS: the texts were generated" in report(ending, demo=True)
    assert report("md", demo=True).startswith("> **DEMO")
    assert "DEMO" not in report(ending)


def test_a_template_without_its_data_fails():
    with pytest.raises(UndefinedError, match="'lead' is undefined"):
        render("benchmark.html", title="t", subtitle="s", measure="accuracy", demo=False)
