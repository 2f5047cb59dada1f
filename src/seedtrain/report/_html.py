"""A page as one HTML file that needs nothing else: no request, no script, readable in light, dark and print."""

from __future__ import annotations

import re
from functools import cache
from typing import Any, Final

from seedtrain.report._canvas import AMBER, BAND, INK, PALETTE, PAPER, RULE, SOFT, STATE_COLOURS
from seedtrain.report._layout import lay_out
from seedtrain.report._page import Page

_VARIABLES: Final = {
    INK: "ink",
    SOFT: "soft",
    RULE: "rule",
    BAND: "band",
    PAPER: "paper",
    AMBER: "amber",
    **{colour: state for state, colour in STATE_COLOURS.items() if state},
    **{colour: f"c{at}" for at, colour in enumerate(PALETTE)},
}


def render_html(page: Page) -> str:
    """`page` as one self-contained HTML document, in the language in use.

    Raises `InputError` for a table or a figure that does not hold together.
    """
    layout = lay_out(page)
    for block in layout["blocks"]:
        _prepare(block)
    return str(_template().render(page=layout, words=layout["words"], css_mark=_css_string(layout["mark"])))


def _prepare(block: dict[str, Any]) -> None:
    """Marks what is markup already: drawings and formulas."""
    from markupsafe import Markup

    # Formulas are made of boxes with every text escaped.
    if block["kind"] == "figure":
        block["svg"] = _inline(block["svg"], f"f{block['number']}", block["alt"])
    elif block["kind"] == "folded":
        for inner in block["blocks"]:
            _prepare(inner)
    elif block["kind"] == "equations":
        for line in block["lines"]:
            line["mathml"] = Markup(line["mathml"])  # noqa: S704
    elif block["kind"] == "table":
        for cell in (cell for row in block["rows"] for cell in row if "mathml" in cell):
            cell["mathml"] = Markup(cell["mathml"])  # noqa: S704


def _css_string(text: str) -> Any:
    """`text` as a CSS string: every character but letters and digits escaped (CSS Syntax Level 3, section 4.3.7)."""
    from markupsafe import Markup

    inside = "".join(letter if letter.isascii() and letter.isalnum() else f"\\{ord(letter):x} " for letter in text)
    return Markup(f'"{inside}"')  # noqa: S704 - nothing but letters, digits and escapes is left


@cache
def _template() -> Any:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("seedtrain.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html.j2")


def _inline(svg: str, prefix: str, alt: str) -> Any:
    """An SVG for the inside of a page: its own ids, the page's colours, its words for a screen reader."""
    from markupsafe import Markup, escape

    head, body = svg[: svg.index(">") + 1], svg[svg.index(">") + 1 :]
    box = re.search(r'viewBox="([^"]+)"', head)
    assert box is not None
    body = re.sub(r'\bid="([^"]+)"', rf'id="{prefix}-\1"', body)
    body = re.sub(r"url\(#([^)]+)\)", rf"url(#{prefix}-\1)", body)
    body = re.sub(r'xlink:href="#([^"]+)"', rf'href="#{prefix}-\1"', body)
    for colour, name in _VARIABLES.items():
        body = re.sub(rf"((?:fill|stroke): ?){colour}\b", rf"\1var(--{name}, {colour})", body)
    # matplotlib writes the text's own characters as XML text: they are escaped already, and nothing else is markup.
    return Markup(  # noqa: S704
        f'<svg viewBox="{box[1]}" role="img" aria-labelledby="{prefix}-alt">'
        f'<title id="{prefix}-alt">{escape(alt)}</title>{body}'
    )
