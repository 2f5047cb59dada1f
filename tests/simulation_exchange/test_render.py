"""Models as mathematics: three ways of setting the same boxes, in two languages, with every text escaped."""

from __future__ import annotations

import math
import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedtrain.base import use_language
from seedtrain.report import Formula, Page, latex, mathml, render_html
from seedtrain.simulation import (
    model_section,
    read_culture,
    shipped_cultures,
    to_html,
    to_latex,
    to_pdf,
)
from seedtrain.simulation._engine import System
from seedtrain.simulation._exchange._boxes import number_box, symbol_box, tree_box
from seedtrain.simulation._exchange._tree import Tree, call, evaluate, num, read_expression, sym
from seedtrain.simulation._exchange._tree import Tree as Node
from tests.simulation_exchange.test_tree import VALUES

SIGNS = {"+": "+", "−": "-", "·": "*", "×": "*", "<": "<", ">": ">", "≤": "<=", "≥": ">=", "≠": "!=", "=": "=="}


def math_element(tree: Tree) -> ElementTree.Element:
    return ElementTree.fromstring(mathml(Formula(tree_box(tree), "formula")))  # noqa: S314 - our own


def spoken(element: ElementTree.Element) -> str:
    """Presentation MathML as Python, by a reader that shares nothing with the writer."""
    parts = [spoken(child) for child in element]
    text = element.text or ""
    match element.tag:
        case "math" | "mrow":
            return " ".join(parts)
        case "mi" | "mn":
            return {"if": "if", "otherwise": "else", "and": "and", "or": "or", "not": "not"}.get(text, text)
        case "mo":
            return SIGNS.get(text, text)
        case "mspace":
            return " "
        case "mfrac":
            return f"(({parts[0]}) / ({parts[1]}))"
        case "msup":
            return f"(({parts[0]}) ** ({parts[1]}))"
        case "msqrt":
            return f"sqrt({parts[0]})"
        case "mtd":
            return " ".join(parts)
        case "mtr":
            return f"{parts[0]}\t{parts[1]}"
        case "mtable":
            rows = [row.split("\t") for row in "\n".join(parts).split("\n")]
            chosen = "nan"
            for value, when in reversed(rows):
                condition = when.strip().removeprefix("if")
                chosen = f"({value})" if when.strip() == "else" else f"({value}) if ({condition}) else ({chosen})"
            return f"({chosen})"
    raise AssertionError(element.tag)


def value_of(element: ElementTree.Element) -> float:
    text = spoken(element).replace("{ (", "(")
    scope = {name: getattr(math, name) for name in ("exp", "tanh", "sinh", "cosh", "sqrt")}
    while "|" in text:
        text = re.sub(r"\|([^|]*)\|", r"abs(\1)", text)
    scope |= {"abs": abs, "min": min, "max": max, "coth": lambda x: 1 / math.tanh(x), "ln": math.log, "nan": math.nan}
    return float(eval(text, {"__builtins__": {}}, {**scope, **VALUES}))  # noqa: S307


def grown(children):
    pairs = st.tuples(children, children)
    relation = st.builds(lambda op, p: Node(op, p), st.sampled_from(["lt", "le", "gt", "ge", "ne"]), pairs)
    logic = st.builds(lambda op, p: Node(op, p), st.sampled_from(["and", "or"]), st.tuples(relation, relation))
    condition = st.one_of(relation, logic)
    chosen = st.builds(lambda a, c, b: call("piecewise", a, c, b), children, condition, children)
    chain = st.builds(lambda op, p: Node(op, tuple(p)), st.sampled_from(["+", "*"]), st.lists(children, min_size=2))
    plain = st.builds(lambda op, p: Node(op, p), st.sampled_from(["-", "/", "min", "max"]), pairs)
    single = st.builds(lambda op, a: call(op, a), st.sampled_from(["neg", "tanh", "exp", "cosh"]), children)
    power = st.builds(lambda a, n: call("^", a, num(n)), children, st.sampled_from([2.0, 3.0, -1.0]))
    return st.one_of(chain, plain, single, chosen, power)


LEAVES = st.one_of(
    st.sampled_from([0.0, 0.5, 2.0, -3.0, 1e-9, 2.5e7]).map(num), st.sampled_from(sorted(VALUES)).map(sym)
)


@given(st.recursive(LEAVES, grown, max_leaves=15))
def test_what_is_set_has_the_value_of_the_formula(tree):
    """Brackets, fractions and cases say the same as the tree: read back from the MathML and computed."""
    try:
        expected = evaluate(tree, VALUES.__getitem__, 0.0, lambda _: math.nan)
        found = value_of(math_element(tree))
    except (ArithmeticError, OverflowError):
        return
    if math.isfinite(expected) and not isinstance(found, complex):
        assert found == pytest.approx(expected, rel=1e-9, abs=1e-12)


@given(st.recursive(LEAVES, grown, max_leaves=15))
def test_latex_is_balanced(tree):
    text = latex(Formula(tree_box(tree), ""))
    depth = 0
    for mark in re.findall(r"(?<!\\)[{}]", text):
        depth += 1 if mark == "{" else -1
        assert depth >= 0
    assert depth == 0
    assert text.count(r"\left") - text.count(r"\leftarrow") == text.count(r"\right")
    assert text.count(r"\begin{cases}") == text.count(r"\end{cases}")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mu", r"\mu"),
        ("q_S_max", r"{q}_{S , \mathrm{max}}"),
        ("K_S", "{K}_{S}"),
        ("k1", "{k}_{1}"),
        ("alpha_2", r"{\alpha}_{2}"),
        ("kLa", r"{k}_{L} a"),
        ("DO_percent", r"{\mathrm{DO}}_{\mathrm{\%}}"),
        ("C_CO2", r"{C}_{\mathrm{C} {\mathrm{O}}_{2}}"),
        ("reaction.k_3", "{k}_{3}"),
    ],
)
def test_symbols_look_as_in_the_field(name, expected):
    assert latex(Formula(symbol_box(name), name)) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.0, "0"), (2.0, "2"), (-0.5, "- 0.5"), (1e-5, "{10}^{- 5}"), (6.02214179e23, r"6.02214179 \times {10}^{23}")],
)
def test_numbers_are_set_in_full(value, expected):
    assert latex(Formula(number_box(value), "")) == expected


def test_quotients_in_a_row_become_fractions_and_branches_become_cases():
    tree = read_expression("q_S_max / (1 + A / K_ia) * S / (S + K_s)")
    assert latex(Formula(tree_box(tree), "")) == (
        r"\frac{{q}_{S , \mathrm{max}}}{1 + \frac{A}{{K}_{\mathrm{ia}}}} \cdot \frac{S}{S + {K}_{s}}"
    )
    cases = latex(Formula(tree_box(read_expression("a if a > b else b if b > 0 else 0")), ""))
    assert cases.count(r"\\") == 2
    assert r"\mathrm{otherwise}" in cases


@pytest.mark.parametrize("name", shipped_cultures())
def test_every_shipped_culture_is_rendered_whole_in_both_languages(name):
    culture = read_culture(name)
    for lang in ("en", "zh"):
        page, document = to_html(culture, lang), to_latex(culture, lang)
        assert "<script" not in page
        assert "://" not in page
        assert f'lang="{"zh-Hans" if lang == "zh" else "en"}"' in page
        for symbol in (*culture.species, *culture.parameters, *culture.expressions):
            assert f'aria-label="{symbol}' in page, symbol
        assert page.count("<math") > len(culture.species) + len(culture.parameters) + len(culture.expressions)
        assert document.count(r"\begin{") == document.count(r"\end{")
        for item in re.findall(r"<math.*?</math>", page):
            ElementTree.fromstring(item)  # noqa: S314 - our own
    assert "参数" in to_html(culture, "zh")


def test_what_a_file_says_is_never_markup(tmp_path):
    text = (
        "culture: sharp\ntitle: '<b>sharp</b> & $x_1$ \\input{a}'\nsource: '<script>alert(1)</script>'\n"
        "status: unverified\ndesign: false\nbasis: volume\nspecies:\n"
        "  S: {words: '<i>s</i> 100 %', known_as: s, unit: g/L, weightless: true}\nparameters:\n"
        "  k: {value: 0.3 1/h, status: assumed, source: 'a & b # c'}\nrates:\n  S: -k * S\n"
    )
    (tmp_path / "sharp.yaml").write_text(text)
    culture = read_culture(tmp_path / "sharp.yaml")
    page, document = to_html(culture), to_latex(culture)
    assert "<script" not in page
    assert "<b>" not in page
    assert "&lt;b&gt;sharp&lt;/b&gt;" in page
    assert r"\textbackslash{}input\{a\}" in document
    assert r"a \& b \# c" in document
    assert r"100 \%" in document
    assert to_pdf(culture).startswith(b"%PDF")


def test_a_model_is_a_folded_section_of_a_dossier():
    culture = read_culture("ecoli_balanced")
    with use_language("zh"):
        section = model_section(culture)
        page = render_html(Page(title="x", blocks=(section,)))
    assert "<details" in page
    assert "模型：" in page
    assert page.count("<math") > 40
    assert "<details open" not in page.partition("<main")[2]


def test_a_system_is_rendered_with_its_rates():
    system = System("s", ("x",), ("k",), (("k2", "k * k"),), (("y", "exp(-x)"),), ("-k2 * y",), (("low", "x - 1"),))
    page = to_html(system)
    for text in ("dx/dt = (-k2 * y)", "k2 = (k * k)", "y = exp(-x)"):
        assert f'aria-label="{text}"' in page, text


def test_the_pdf_of_a_model_has_its_formulas_as_text_for_those_who_listen():
    from io import BytesIO

    from pypdf import PdfReader

    pages = PdfReader(BytesIO(to_pdf(read_culture("ecoli_anane_published")))).pages
    text = "".join(page.extract_text() for page in pages)
    assert len(pages) >= 2
    assert "Anane" in text
    assert "𝜇" in text or "μ" in text
