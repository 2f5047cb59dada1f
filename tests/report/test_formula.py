"""Formulas, equations and folded sections of a page, on screen and in print."""

from __future__ import annotations

from io import BytesIO

import pypdf
import pytest

from seedtrain.base import use_language
from seedtrain.report import (
    SPACE,
    Box,
    Cell,
    Column,
    Equation,
    Equations,
    Folded,
    Formula,
    Heading,
    Page,
    Paragraph,
    Symbol,
    Table,
    latex,
    letter,
    mathml,
    page_digest,
    render_html,
    render_pdf,
    row,
    sign,
    word,
)

HALF = Box("fraction", parts=(Box("number", "1"), letter("x")))
EVERY = Formula(
    row(
        Box("index", parts=(letter("μ"), word("max"))),
        sign("="),
        Box("power", parts=(Box("group", "()", (HALF,)), Box("number", "2"))),
        sign("·"),
        Box("root", parts=(letter("y"),)),
        sign("−"),
        Box("cases", parts=(letter("a"), row(word("if"), SPACE, letter("b")), letter("c"), word("otherwise"))),
    ),
    "mu_max = (1 / x)^2 * sqrt(y) - (a if b else c)",
)
HOSTILE = Formula(row(word('<script>"&'), sign("<"), letter("]")), '"><script>alert(1)</script> \\u{41} #panic()')


def page(*formulas: Formula) -> Page:
    heads = (Column("Symbol"), Column("Value", "right"))
    rows: list[list[str | Cell | Symbol]] = [[Symbol(item), Cell("1", style="strong")] for item in formulas]
    inner = (Equations(tuple(Equation(item, "1/h") for item in formulas), "Rates"), Table(heads, rows, "What it is"))
    return Page(title="Formulas", blocks=(Heading("One"), Paragraph("Text."), Folded("The model", inner)))


def test_boxes_become_mathml_and_latex():
    assert mathml(Formula(HALF, "1 / x")) == (
        '<math aria-label="1 / x"><mrow><mfrac><mrow><mn>1</mn></mrow><mrow><mi>x</mi></mrow></mfrac></mrow></math>'
    )
    assert latex(EVERY) == (
        r"{\mu}_{\mathrm{max}} = {\left( \frac{1}{x} \right)}^{2} \cdot \sqrt{y} - "
        r"\begin{cases} a & \mathrm{if} \; b \\ c & \mathrm{otherwise} \end{cases}"
    )


def test_a_page_shows_them_on_screen_and_in_print():
    html = render_html(page(EVERY))
    assert html.count("<math") == 2
    assert '<details class="folded"><summary>The model</summary>' in html
    assert "displaystyle" in html
    pdf = pypdf.PdfReader(BytesIO(render_pdf(page(EVERY))))
    text = pdf.pages[0].extract_text()
    for expected in ("The model", "max", "otherwise", "1/h", "Table 1"):
        assert expected in text
    assert render_pdf(page(EVERY)) == render_pdf(page(EVERY))


def test_hostile_texts_stay_texts():
    html = render_html(page(HOSTILE))
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert "[unclosed" not in html
    assert "panic" not in pypdf.PdfReader(BytesIO(render_pdf(page(HOSTILE)))).pages[0].extract_text()


def test_formulas_count_for_the_digest_and_pages_without_them_keep_theirs():
    assert page_digest(page(EVERY)) != page_digest(page(HOSTILE))
    plain = Page(title="x", blocks=(Heading("One"), Table((Column("a"),), [["b"]])))
    assert "formula" not in render_html(plain).partition("</style>")[2]


@pytest.mark.parametrize("code", ["en", "zh"])
def test_words_inside_formulas_are_set_in_the_language(code):
    with use_language(code):
        found = Formula(Box("cases", parts=(letter("a"), word("若"), letter("b"), word("其他情形"))), "a")
        assert "其他情形" in render_html(page(found))
    assert r"\text{其他情形}" in latex(found)
