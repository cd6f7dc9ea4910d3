import re
from html.parser import HTMLParser

import pytest

from lit_al.reporting import html, markdown
from lit_al.reporting.document import DEMO, Bullets, Document, Heading, Paragraph, Picture, Table, legible

NASTY = "<script>alert(\"x\")</script> & 'q' | `c` **b** [l](http://x) $m$ \x00\ud800‮"
SVG = b"<svg/>"


def document(text="plain", demo=False):
    blocks = [
        Heading(text),
        Paragraph(text, "warning"),
        Paragraph(text),
        Bullets((text, text)),
        Table(text, (text, "n"), ((text, "1"), (text, "2")), wide=True),
        Picture("curve", text, SVG),
    ]
    return Document(text, text, blocks, demo)


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
    tags = parsed(html.render(document(NASTY)))
    assert not {"script", "b", "a"} & tags.seen
    assert tags.text.count(legible(NASTY)) == 12  # three at the top, h2, two paragraphs, two items, four of the table


def test_html_loads_nothing_from_elsewhere():
    page = html.render(document("see http://example.org"))
    assert all(link.startswith("data:image/svg+xml;base64,") for link in parsed(page).links)
    assert "default-src 'none'" in page
    assert "@import" not in page
    assert "url(" not in page


def test_html_is_for_dark_rooms_and_narrow_screens():
    page = html.render(document())
    assert "prefers-color-scheme: dark" in page
    assert 'name="viewport"' in page
    assert '<html lang="en">' in page


def test_html_can_be_written_whatever_the_text_holds():
    assert "\x00" not in html.render(document(NASTY)).encode().decode()


def test_markdown_escapes_what_means_something():
    page = markdown.render(document(NASTY))
    assert "<script" not in page
    assert "[l](" not in page
    rows = [line for line in page.splitlines() if line.startswith("|")]
    assert {line.count("|") for line in rows} == {3}
    assert "![" in page
    assert page.count("](curve.svg)") == 1


@pytest.mark.parametrize("text", ["- no list", "1. no list", "# no heading", "+ no list", "a\n\nb"])
def test_markdown_text_stays_a_paragraph(text):
    lines = markdown.render(Document("t", "s", [Paragraph(text)])).strip().split("\n\n")
    assert len(lines) == 3
    assert not re.match(r"[-+#]|\d+[.)]", lines[2])


@pytest.mark.parametrize("render", [html.render, markdown.render])
def test_a_demo_says_so_first(render):
    shown = render(document("title", demo=True))
    assert DEMO in shown
    body = shown[shown.find("<body>") :] if "<body>" in shown else shown
    assert body.index(DEMO) < body.index("title")
    assert DEMO not in render(document())


def test_an_unknown_block_is_refused():
    with pytest.raises(TypeError, match="str is no block"):
        html.render(Document("t", "s", ["words"]))
    with pytest.raises(TypeError, match="str is no block"):
        markdown.render(Document("t", "s", ["words"]))
