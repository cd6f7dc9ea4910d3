"""A document as one HTML file: no script, nothing loaded from elsewhere, light and dark, wide and narrow."""

from base64 import b64encode
from functools import singledispatch
from html import escape

from lit_al.reporting.document import DEMO, Block, Bullets, Document, Heading, Paragraph, Picture, Table, legible

_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"  # a browser would refuse anything else

_STYLE = """
:root { color-scheme: light dark; --ink: #1c1c1c; --soft: #5f5f5f; --page: #fff; --line: #dcdcdc; --shade: #f5f6f8;
  --good: #0b62a4; --bad: #b34f08; --loud: #b00020; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e6e6; --soft: #a5a5a5; --page: #16181c; --line: #3a3d43;
  --shade: #1f2227; --good: #7db8ec; --bad: #f0a05a; --loud: #ff8a94; }
  figure img { filter: invert(.91) hue-rotate(180deg); } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 62rem; padding: 1.5rem 1rem 4rem; background: var(--page); color: var(--ink);
  font: 16px/1.55 system-ui, sans-serif; overflow-wrap: break-word; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: .4rem 0; }
h2 { font-size: 1.2rem; margin: 2.4rem 0 .6rem; padding-top: .6rem; border-top: 1px solid var(--line); }
p { margin: .6rem 0; max-width: 46rem; }
ul { max-width: 46rem; padding-left: 1.2rem; }
.subtitle, .small, .caption { color: var(--soft); }
.small, .caption { font-size: .88rem; } .caption { margin: 1.4rem 0 0; }
.lead { font-size: 1.12rem; font-weight: 600; }
.good, .bad, .warning, .open { border-left: 4px solid var(--line); padding-left: .8rem; }
.good { border-color: var(--good); } .bad { border-color: var(--bad); }
.warning, .demo { border-color: var(--loud); color: var(--loud); }
.demo { border: 2px solid; padding: .5rem .8rem; font-weight: 600; max-width: none; }
.scroll { overflow-x: auto; margin: .5rem 0 1rem; }
figure { margin: 0; } figure img { display: block; width: 100%; min-width: 30rem; height: auto; }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .7rem; text-align: right; white-space: nowrap; vertical-align: top; unicode-bidi: isolate; }
th { border-bottom: 2px solid var(--line); font-weight: 600; vertical-align: bottom; }
td { border-bottom: 1px solid var(--line); }
tr { background: var(--page); } tbody tr:nth-child(even) { background: var(--shade); }
th.t, td.t { text-align: left; }
.t:first-child:not(.w) { position: sticky; left: 0; background: inherit; }
 td.w { white-space: normal; min-width: 20rem; max-width: 40rem; }
"""


def render(document: Document) -> str:
    """The file; it ends with a line break."""
    body = "\n".join(_block(block) for block in document.blocks)
    demo = f'<p class="demo">{_safe(DEMO)}</p>\n' if document.demo else ""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{_safe(document.title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n{demo}"
        f'<h1>{_safe(document.title)}</h1>\n<p class="subtitle">{_safe(document.subtitle)}</p>\n'
        f"{body}\n</body>\n</html>\n"
    )


def _safe(text: str) -> str:
    return escape(legible(text), quote=True).replace(" %", "&nbsp;%")  # a line must not begin with the sign


@singledispatch
def _block(block: Block) -> str:
    raise TypeError(f"{type(block).__name__} is no block of a document")


@_block.register
def _(block: Heading) -> str:
    return f"<h2>{_safe(block.text)}</h2>"


@_block.register
def _(block: Paragraph) -> str:
    attribute = "" if block.tone == "plain" else f' class="{block.tone}"'
    return f"<p{attribute}>{_safe(block.text)}</p>"


@_block.register
def _(block: Bullets) -> str:
    return "<ul>\n" + "\n".join(f"<li>{_safe(item)}</li>" for item in block.items) + "\n</ul>"


@_block.register
def _(block: Picture) -> str:
    data = b64encode(block.svg).decode("ascii")
    image = f'<img alt="{_safe(block.alt)}" src="data:image/svg+xml;base64,{data}">'
    return f'<figure class="scroll" tabindex="0">{image}</figure>'


@_block.register
def _(block: Table) -> str:
    head = "".join(f"<th{_kind(block, i)} scope=col>{_safe(cell)}</th>" for i, cell in enumerate(block.head))
    rows = "\n".join(
        "<tr>" + "".join(f"<td{_kind(block, i)}>{_safe(cell)}</td>" for i, cell in enumerate(row)) + "</tr>"
        for row in block.rows
    )
    caption = f'<p class="caption">{_safe(block.caption)}</p>\n' if block.caption else ""
    top = f"<thead><tr>{head}</tr></thead>\n" if any(block.head) else ""
    table = f"<table>\n{top}<tbody>\n{rows}\n</tbody></table>"
    return f'{caption}<div class="scroll" tabindex="0">{table}</div>'  # wide ones scroll by themselves, by key too


def _kind(table: Table, column: int) -> str:
    """The class of a cell: words or number, long or short."""
    if column >= table.texts:
        return ""
    return ' class="t w"' if table.wide and column == 0 else ' class="t"'
