"""Formulas: the engine's text says exactly what the tree says, or refuses."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedtrain.base import parse_expression
from seedtrain.simulation._exchange._emit import DEEPEST, Emitter, UnsupportedError
from seedtrain.simulation._exchange._tree import NoValueError, Tree, call, evaluate, num, read_expression, sym

VALUES = {"a": 0.7, "b": -1.3, "c": 2.0, "d": 0.0}
NUMBERS = st.sampled_from([0.0, 0.5, 1.0, 2.0, 3.0, -1.5, 1e-12])
LEAVES = st.one_of(NUMBERS.map(num), st.sampled_from(sorted(VALUES)).map(sym))


def grown(children):
    pairs = st.tuples(children, children)
    relation = st.builds(lambda op, p: Tree(op, p), st.sampled_from(["lt", "le", "gt", "ge", "eq", "ne"]), pairs)
    logic = st.builds(lambda op, p: Tree(op, p), st.sampled_from(["and", "or", "xor", "implies"]), pairs)
    condition = st.one_of(relation, logic, relation.map(lambda item: call("not", item)))
    chosen = st.builds(lambda a, c, b: call("piecewise", a, c, b), children, condition, children)
    chain = st.builds(lambda op, p: Tree(op, tuple(p)), st.sampled_from(["+", "*"]), st.lists(children, min_size=2))
    plain = st.builds(lambda op, p: Tree(op, p), st.sampled_from(["-", "/", "min", "max"]), pairs)
    single = st.builds(
        lambda op, a: call(op, a), st.sampled_from(["neg", "abs", "tanh", "exp", "sinh", "cosh", "coth"]), children
    )
    return st.one_of(chain, plain, single, chosen, relation, condition)


def text_value(tree: Tree) -> float:
    """The value of the engine's text of a tree, lines included; every line is within the language's depth."""
    count = iter(range(10_000))
    emitter = Emitter({name: name for name in VALUES}, lambda stem: f"{stem}_{next(count)}", lambda _: None)
    text = emitter.text(tree)
    values = dict(VALUES)
    for symbol, line in emitter.lines:
        values[symbol] = parse_expression(line).evaluate(values)
    return parse_expression(text).evaluate(values)


def tree_value(tree: Tree) -> float:
    return evaluate(tree, VALUES.__getitem__, 0.0, lambda _: math.nan)


@given(st.recursive(LEAVES, grown, max_leaves=25))
def test_the_engines_text_has_the_value_of_the_tree(tree):
    try:
        expected = tree_value(tree)
        found = text_value(tree)
    except ArithmeticError:
        return
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(
    ("op", "value"),
    [("arctanh", 0.3), ("arccoth", 3.0), ("arccosh", 2.5), ("sech", 0.8), ("csch", -0.4), ("coth", 1.1)],
)
def test_identities_agree_with_the_functions_themselves(op, value):
    tree = call(op, call("+", sym("d"), num(value)))
    assert text_value(tree) == pytest.approx(tree_value(tree), rel=1e-14)


def test_a_function_that_the_language_lacks_is_refused_unless_it_never_changes():
    emitter = Emitter({"a": "a"}, lambda stem: stem, lambda _: None)
    assert emitter.text(call("floor", num(2.7))) == "2.0"
    with pytest.raises(UnsupportedError, match="floor"):
        emitter.text(call("floor", sym("a")))
    fixed = Emitter({"a": "a"}, lambda stem: stem, lambda tree: "constant_1")
    assert fixed.text(call("*", sym("a"), call("floor", sym("a")))) == "a * constant_1"


def test_a_piecewise_needs_an_otherwise_or_conditions_that_leave_no_gap():
    emitter = Emitter({"a": "a"}, lambda stem: stem, lambda _: None)
    above, below = call("gt", sym("a"), num(0.0)), call("le", sym("a"), num(0.0))
    assert emitter.text(call("piecewise", num(1.0), above, num(2.0), below)) == "1.0 if a > 0.0 else 2.0"
    mirrored = call("ge", num(0.0), sym("a"))
    assert emitter.text(call("piecewise", num(1.0), above, num(2.0), mirrored)) == "1.0 if a > 0.0 else 2.0"
    with pytest.raises(UnsupportedError, match="otherwise"):
        emitter.text(call("piecewise", num(1.0), above, num(2.0), call("lt", sym("a"), num(0.0))))
    with pytest.raises(NoValueError):
        evaluate(call("piecewise", num(1.0), above), lambda _: -1.0, 0.0, lambda _: 0.0)


def test_wide_and_deep_formulas_stay_within_the_language():
    wide = Tree("+", tuple(call("*", sym("a"), num(float(at))) for at in range(400)))
    assert text_value(wide) == pytest.approx(0.7 * 399 * 200, rel=1e-13)
    deep = sym("a")
    for _ in range(2 * DEEPEST):
        deep = call("tanh", call("+", deep, num(0.5)))
    assert text_value(deep) == pytest.approx(tree_value(deep), rel=1e-13)


def test_expressions_of_a_culture_become_trees_of_the_same_value():
    for text in ("a / b / c", "-a ** 2 + c ** -b ** 2", "(a if a > b else c) * log(c) - sqrt(c) + min(a, b, c)"):
        assert tree_value(read_expression(text)) == pytest.approx(parse_expression(text).evaluate(VALUES), rel=1e-14)
