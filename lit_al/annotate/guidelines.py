"""Guidelines for annotators: Markdown, made into HTML that holds nothing but what Markdown can say.

HTML in it is shown as text, an image is a link, and a link leads to the web, to a mail program, or is none: whoever
writes guidelines need not be trusted with a script in everybody's browser.
"""

from collections.abc import Iterable
from functools import lru_cache

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

_MARKDOWN = MarkdownIt("js-default", {"html": False, "linkify": False, "breaks": True}).disable("image")


@lru_cache(maxsize=8)
def as_html(text: str) -> Markup:
    r"""The guidelines, to be put into a page as they are.

    >>> as_html("be *fair*, <b>always</b>")
    Markup('<p>be <em>fair</em>, &lt;b&gt;always&lt;/b&gt;</p>\n')
    """
    tokens = _MARKDOWN.parse(text)
    _tame(tokens)
    return Markup(_MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {}))


def _tame(tokens: Iterable[Token]) -> None:
    """Links open beside the page, headings stand below the page's own; no style but the page's."""
    for token in tokens:
        token.attrs.pop("style", None)  # of columns of tables; the page's policy takes no styles
        if token.type == "link_open":
            token.attrs |= {"target": "_blank", "rel": "noopener noreferrer"}
        elif token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(6, int(token.tag[1:]) + 2)}"
        _tame(token.children or ())
