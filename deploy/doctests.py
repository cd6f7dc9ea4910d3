"""Examples in docstrings as code: lines from `>>>` to the next blank line stand between fences.

An extension of griffe (`mkdocs.yml`); without it Markdown takes what an example prints for links.
"""

import re
from typing import Any

import griffe

_EXAMPLE = re.compile(r"^(?P<indent> *)>>> .*(?:\n(?! *$).+)*", re.MULTILINE)


class Doctests(griffe.Extension):
    """Fences around the examples of every docstring."""

    def on_instance(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        """Of a module, class, function or attribute that has been read."""
        if obj.docstring is not None:
            obj.docstring.value = _EXAMPLE.sub(r"\g<indent>```pycon\n\g<0>\n\g<indent>```", obj.docstring.value)
