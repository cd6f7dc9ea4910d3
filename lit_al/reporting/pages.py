"""Reports from templates: what `templates/` shows of a report's data is made legible and escaped on its way out."""

import re
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

_MEANS_SOMETHING = {ord(sign): f"&#{ord(sign)};" for sign in "&<>|*_`[]\\#~$"}  # to Markdown, HTML or mathematics
_ENDS_A_WORD = re.compile(r"(?<=\w)[_/.-](?=\w)")
_OPTION = re.compile(r"--[a-z-]+|lit-al(?= )")
_BEGINS_A_LIST = re.compile(r"[-+=]|\d+[.)]\s")


def render(template: str, **data: Any) -> str:
    """A report; it ends with a line break.

    Args:
        template: its name in `templates/`, which says the format: `.html` or `.md`.
        data: what it shows.

    Raises:
        jinja2.UndefinedError: the template asks for what is not there.
    """
    return _environment(template.rpartition(".")[2]).get_template(template).render(data) + "\n"


@cache
def _environment(ending: str) -> Environment:
    environment = Environment(
        loader=PackageLoader("lit_al.reporting"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_unless_escaped({"html": for_html, "md": for_markdown}[ending]),
    )
    environment.filters |= {
        "breakable": breakable,
        "base64": lambda content: b64encode(content).decode("ascii"),
        "cell": for_markdown_cell,
        "each": each,
        "share": share,
        "thousands": "{:,}".format,
        "unbroken": unbroken,
    }
    return environment


def _unless_escaped(safe: Callable[[str], Markup]) -> Callable[[Any], Markup]:
    """What macros, blocks and filters have escaped before is left as it is."""
    return lambda value: value if isinstance(value, Markup) else safe(str(value))


def for_html(text: str) -> Markup:
    """Text for an HTML page; no line begins with a percent sign."""
    return escape(legible(text).replace(" %", "\u00a0%"))


def breakable(text: str) -> Markup:
    """A name for an HTML page that may go on in another line where one of its words ends, as after `_`."""
    return Markup(_ENDS_A_WORD.sub(r"\g<0><wbr>", str(for_html(text))))


def unbroken(text: str) -> Markup:
    """A sentence for an HTML page; no line ends within the name of an option or of the program."""
    return Markup(_OPTION.sub(r'<span class="whole">\g<0></span>', str(for_html(text))))


def for_markdown(text: str) -> Markup:
    """On one line, without a sign that means something; a sign that would begin a list does not begin the line."""
    line = for_markdown_cell(text)
    return Markup(f"&#{ord(line[0])};{line[1:]}") if _BEGINS_A_LIST.match(line) else line


def for_markdown_cell(text: str) -> Markup:
    """Likewise, where it does not begin a line."""
    return Markup(" ".join(legible(text).translate(_MEANS_SOMETHING).split()))


def legible(text: str) -> str:
    r"""Text that any file and any reader can take: control characters and broken halves of letters are replaced.

    >>> legible("a\x00b\ud800\n")
    'a�b?\n'
    """
    whole = text.encode("utf-8", "replace").decode("utf-8")
    return "".join(
        letter if letter.isprintable() or letter in " \n\t" or ord(letter) > 0x9F else "�" for letter in whole
    )


def each(values: Iterable[Any], pattern: str, *found: Mapping[Any, Any]) -> list[str]:
    """Every value in a pattern, or what stands under it in each of some mappings.

    >>> each(["ham", "spam"], "p({})")
    ['p(ham)', 'p(spam)']
    >>> each(["ham", "spam"], "{} of {:,}", {"ham": 1, "spam": 2}, {"ham": 3_000, "spam": 4_000})
    ['1 of 3,000', '2 of 4,000']
    """
    return [pattern.format(*([one[value] for one in found] or [value])) for value in values]


def share(value: float | None) -> str:
    """A share or a loss with four digits.

    >>> share(.75), share(1.25), share(None)
    ('.7500', '1.2500', '–')
    """
    return "–" if value is None else f"{value:.4f}".removeprefix("0")
