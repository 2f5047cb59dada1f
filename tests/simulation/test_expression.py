"""Expressions: the whitelist computes as Python does, and refuses everything else."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from seedtrain.base import FUNCTIONS, parse_expression

NUMBERS = st.floats(min_value=-100, max_value=100, allow_nan=False).map(lambda value: round(value, 3))
LEAVES = st.one_of(NUMBERS.map(lambda value: f"({value})"), st.sampled_from(["x", "y_1", "K_S"]))
VALUES = {"x": 1.7, "y_1": -0.3, "K_S": 12.5}


def _grow(parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.tuples(parts, st.sampled_from("+-*/"), parts).map(lambda found: f"({found[0]} {found[1]} {found[2]})"),
        parts.map(lambda text: f"-{text}"),
        parts.map(lambda text: f"tanh({text})"),
        parts.map(lambda text: f"exp(tanh({text}))"),
        st.tuples(parts, parts).map(lambda found: f"max({found[0]}, {found[1]})"),
        st.tuples(parts, parts, parts).map(lambda found: f"({found[0]} if {found[1]} > {found[2]} else 1.5)"),
    )


@settings(max_examples=150, deadline=None)
@given(st.recursive(LEAVES, _grow, max_leaves=12))
@example("((0.0) / (0.0))")
def test_an_expression_computes_what_python_computes(text):
    if re.search(r"/ \(0\.0\)", text):
        with pytest.raises(ValueError, match="a division by zero"):
            parse_expression(text)
        return
    expression = parse_expression(text)
    assert expression.names <= set(VALUES)
    try:
        wanted = eval(text, {"__builtins__": {}}, {**FUNCTIONS, **VALUES})  # noqa: S307 - built from the grammar above
    except ArithmeticError:
        with pytest.raises(ArithmeticError):
            expression.evaluate(VALUES)
        return
    if math.isfinite(wanted):
        assert expression.evaluate(VALUES) == pytest.approx(wanted, rel=1e-12)
    assert parse_expression(expression.code).code == expression.code


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "empty"),
        ("a +", "not an expression"),
        ("__import__('os')", "unknown function"),
        ("a.b", "attribute"),
        ("a[0]", "subscript"),
        ("'text'", "constant"),
        ("True", "truth value"),
        ("lambda: 1", "lambda"),
        ("[x for x in y]", "listcomp"),
        ("(a := 1)", "namedexpr"),
        ("f(x)", "unknown function 'f'"),
        ("exp(x, y)", "exp() with 2 values"),
        ("max(x)", "max() with 1 values"),
        ("max(*x, y)", "starred"),
        ("exp", "symbol 'exp'"),
        ("_hidden", "symbol '_hidden'"),
        ("a and b", "boolop"),
        ("a if b else c", "ifexp"),
        ("a < b", "compare"),
        ("a % b", "binop"),
        ("1e999", "not finite"),
        ("x; y", "not an expression"),
        ("(" * 300 + "x" + ")" * 300, "not an expression"),
        ("-" * 200 + "x", "nesting"),
    ],
)
def test_everything_else_is_refused_with_a_column(text, what):
    with pytest.raises(ValueError, match=r"\|") as caught:
        parse_expression(text)
    assert what in str(caught.value)


def test_the_column_points_at_the_fault():
    with pytest.raises(ValueError, match="column 9"):
        parse_expression("K_S + 2*spam(x)")


def test_a_value_that_is_none_is_an_arithmetic_error():
    with pytest.raises(ArithmeticError):
        parse_expression("(-1) ** 0.5").evaluate({})
    with pytest.raises(ArithmeticError):
        parse_expression("1 / x").evaluate({"x": 0.0})


def test_a_division_by_a_written_zero_is_refused():
    for text in ("k * S / 0", "1 / (a + b / 0.0)"):
        with pytest.raises(ValueError, match="a division by zero"):
            parse_expression(text)
