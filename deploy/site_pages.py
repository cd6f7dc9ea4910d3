"""Pages of the site that lie elsewhere: README.md is its first one, CHANGELOG.md the one of changes.

A hook of mkdocs (`mkdocs.yml`). Links lead to pages of the site, and those to other files of the repository become
plain names, so that the same text is right in both places. A link to what is nowhere stays, and ends a strict build.
"""

import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[1]
ELSEWHERE = {"README.md": "index.md", "CHANGELOG.md": "changes.md"}
_LINK = re.compile(r"\[(?P<words>[^\]]*)\]\((?P<target>[^)#:\s]+)(?P<anchor>#[^)]*)?\)")


def on_files(files: Files, config: Any) -> Files:
    """The pages that lie at the top of the repository."""
    for name, page in ELSEWHERE.items():
        text = (ROOT / name).read_text(encoding="utf-8").replace("](docs/", "](")
        files.append(File.generated(config, page, content=text))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Links of one page."""
    return _LINK.sub(lambda link: _led(link, files), markdown)


def _led(link: re.Match[str], files: Files) -> str:
    target = link["target"].removeprefix("../")
    target = ELSEWHERE.get(target, target)
    if files.get_file_from_path(target) is None and (ROOT / target).exists():
        return link["words"]
    return f"[{link['words']}]({target}{link['anchor'] or ''})"
