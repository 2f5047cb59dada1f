"""Formulas and symbols as boxes to be set: the field's own look (mu as a Greek letter, q_S_max with subscripts)."""

from __future__ import annotations

import re
from typing import Final

from seedtrain.base import translate as _
from seedtrain.report import GREEK, SPACE, Box, Formula, letter, row, sign, word
from seedtrain.simulation._exchange._tree import LOGIC, RELATIONS, Tree

_SIGNS: Final = {"lt": "<", "le": "≤", "gt": ">", "ge": "≥", "eq": "=", "ne": "≠"}
_ALTERNATIVE, _OR, _RELATION, _SUM, _PRODUCT, _POWER, _ATOM = 0, 1, 2, 3, 4, 5, 9
_OWN: Final = {"kLa": ("k", "L", "a")}
_HEAD: Final = re.compile(r"([A-Za-z]+)(\d+)")
_FORMULA: Final = re.compile(r"(?:[A-Z][a-z]?\d*)+")


def symbol_box(name: str) -> Box:
    """A symbol: `mu` is μ, `q_S_max` is q with the subscripts S and max, `k1` is k with the subscript 1."""
    plain = name.rpartition(".")[2]
    head, *rest = [part for part in plain.split("_") if part] or [plain]
    if head in _OWN and not rest:
        base, under, after = _OWN[head]
        return row(Box("index", parts=(letter(base), letter(under))), letter(after))
    numbered = _HEAD.fullmatch(head)
    if numbered and (len(numbered[1]) == 1 or numbered[1] in GREEK):
        head, rest = numbered[1], [numbered[2], *rest]
    if not rest:
        return _name(head)
    below = [part for at, item in enumerate(rest) for part in ([sign(",")] if at else []) + [_name(item)]]
    return Box("index", parts=(_name(head), row(*below)))


def _name(text: str) -> Box:
    if text in GREEK:
        return letter(GREEK[text])
    if text == "percent":
        return word("%")
    if text.isdigit():
        return Box("number", text)
    if len(text) == 1:
        return letter(text)
    if _FORMULA.fullmatch(text) and any(mark.isdigit() for mark in text):
        return _sum_formula(text)
    return word(text)


def _sum_formula(text: str) -> Box:
    """CO2 with its figure as a subscript."""
    parts = re.findall(r"([A-Z][a-z]?)(\d*)", text)
    return row(*(Box("index", parts=(word(a), Box("number", n))) if n else word(a) for a, n in parts))


def number_box(value: float) -> Box:
    """A number in full; a power of ten for what is very large or small."""
    if value == 0 or 1e-3 <= abs(value) < 1e6:
        return _signed(repr(value).removesuffix(".0"))
    mantissa, _mark, power = min(
        (f"{value:.{digits}e}" for digits in range(17) if _same(value, digits)), key=len
    ).partition("e")
    ten = Box("power", parts=(Box("number", "10"), _signed(str(int(power)))))
    return ten if mantissa == "1" else row(_signed(mantissa), sign("×"), ten)


def _same(value: float, digits: int) -> bool:
    return float(f"{value:.{digits}e}") == value


def _signed(text: str) -> Box:
    return row(sign("−"), Box("number", text[1:])) if text.startswith("-") else Box("number", text)


def formula_of(name: Box, tree: Tree, text: str) -> Formula:
    """`name = tree`, with `text` for those who read it as text."""
    return Formula(row(name, sign("="), tree_box(tree)), text)


def plain_text(tree: Tree) -> str:
    """A tree as text, in the engine's language as far as it can say it."""
    return _Plain().of(tree)


def tree_box(tree: Tree) -> Box:
    """A formula as boxes; products of quotients stand as products of fractions."""
    return _box(tree)[0]


def _box(tree: Tree) -> tuple[Box, int]:
    op, parts = tree.op, tree.parts
    if op == "num":
        box = number_box(tree.value)
        return box, _SUM if tree.value < 0 else _ATOM if box.kind == "number" else _PRODUCT
    if op == "sym":
        return symbol_box(tree.name), _ATOM
    if op == "time":
        return letter("t"), _ATOM
    if op == "rateof":
        return _derivative(symbol_box(tree.name)), _PRODUCT
    if op == "+":
        return _sum(parts), _SUM
    if op == "-":
        return row(_inner(parts[0], _SUM), sign("−"), _inner(parts[1], _PRODUCT)), _SUM
    if op == "neg":
        return row(sign("−"), _inner(parts[0], _PRODUCT)), _SUM
    if op in ("*", "/"):
        return _product(tree)
    if op == "^":
        return Box("power", parts=(_inner(parts[0], _ATOM), tree_box(parts[1]))), _POWER
    if op in RELATIONS:
        return row(_inner(parts[0], _SUM), sign(_SIGNS[op]), _inner(parts[1], _SUM)), _RELATION
    if op in LOGIC:
        return _logic(tree)
    if op == "piecewise":
        return _cases(parts), _ALTERNATIVE
    return _function(tree)


def _inner(tree: Tree, least: int) -> Box:
    box, rank = _box(tree)
    return box if rank >= least else Box("group", "()", (box,))


def _sum(parts: tuple[Tree, ...]) -> Box:
    found = [_inner(parts[0], _SUM)]
    for part in parts[1:]:
        if part.op == "neg":
            found += [sign("−"), _inner(part.parts[0], _PRODUCT)]
        elif part.op == "num" and part.value < 0:
            found += [sign("−"), number_box(-part.value)]
        else:
            found += [sign("+"), _inner(part, _PRODUCT)]
    return row(*found)


def _product(tree: Tree) -> tuple[Box, int]:
    """A chain of factors and divisors, in order, as a product of fractions."""
    chain: list[tuple[bool, Tree]] = []
    _collect(tree, chain)
    groups: list[tuple[list[Tree], list[Tree]]] = []
    for below, part in chain:
        if not groups or (not below and groups[-1][1]):
            groups.append(([], []))
        groups[-1][1 if below else 0].append(part)
    boxes = [_fraction(above, below) for above, below in groups]
    found = [part for at, box in enumerate(boxes) for part in ([sign("·")] if at else []) + [box]]
    return row(*found), _PRODUCT


def _collect(tree: Tree, chain: list[tuple[bool, Tree]]) -> None:
    """Factors (False) and divisors (True) of a chain that is read from the left."""
    if tree.op == "*":
        _collect(tree.parts[0], chain)
        chain += [(False, part) for part in tree.parts[1:]]
    elif tree.op == "/":
        _collect(tree.parts[0], chain)
        chain.append((True, tree.parts[1]))
    else:
        chain.append((False, tree))


def _fraction(above: list[Tree], below: list[Tree]) -> Box:
    if not below:
        return _factors(above)
    top = tree_box(above[0]) if len(above) == 1 else _factors(above) if above else Box("number", "1")
    under = tree_box(below[0]) if len(below) == 1 else _factors(below)
    return Box("fraction", parts=(top, under))


def _factors(trees: list[Tree]) -> Box:
    boxes = [_inner(tree, _PRODUCT if at == 0 else _POWER) for at, tree in enumerate(trees)]
    return row(*(part for at, box in enumerate(boxes) for part in ([sign("·")] if at else []) + [box]))


def _derivative(of: Box) -> Box:
    return Box("fraction", parts=(row(word("d"), of), row(word("d"), letter("t"))))


def derivative_box(name: str) -> Box:
    """d name / dt."""
    return _derivative(symbol_box(name))


def _cases(parts: tuple[Tree, ...]) -> Box:
    found: list[Box] = []
    for at in range(0, len(parts) - 1, 2):
        condition = row(word(_("if")), SPACE, tree_box(parts[at + 1]))
        found += [tree_box(parts[at]), condition]
    if len(parts) % 2:
        found += [tree_box(parts[-1]), word(_("otherwise"))]
    return Box("cases", parts=tuple(found))


def _logic(tree: Tree) -> tuple[Box, int]:
    op = tree.op
    if op in ("true", "false"):
        return word(_("true") if op == "true" else _("false")), _ATOM
    if op == "not":
        return row(word(_("not")), SPACE, _inner(tree.parts[0], _ATOM)), _ALTERNATIVE
    words = {"and": _("and"), "or": _("or"), "xor": _("either or"), "implies": _("implies")}[op]
    boxes = [_inner(part, _RELATION) for part in tree.parts]
    spaced = [SPACE, word(words), SPACE]
    return row(*(part for at, box in enumerate(boxes) for part in (spaced if at else []) + [box])), _OR


def _function(tree: Tree) -> tuple[Box, int]:
    op, parts = tree.op, tree.parts
    if op == "abs":
        return Box("group", "||", (tree_box(parts[0]),)), _ATOM
    if op == "root" and parts[0].op == "num" and parts[0].value == 2:
        return Box("root", parts=(tree_box(parts[1]),)), _ATOM
    if op == "root":
        power = Box("fraction", parts=(Box("number", "1"), tree_box(parts[0])))
        return Box("power", parts=(_inner(parts[1], _ATOM), power)), _POWER
    name = word(op)
    if op == "log":
        name, parts = Box("index", parts=(word("log"), tree_box(parts[0]))), parts[1:]
    boxes = [tree_box(part) for part in parts]
    inside = row(*(part for at, box in enumerate(boxes) for part in ([sign(",")] if at else []) + [box]))
    return row(name, Box("group", "()", (inside,))), _ATOM


class _Plain:
    """Text for reading aloud: the engine's language where it can, function names of MathML where it cannot."""

    def of(self, tree: Tree) -> str:
        op, parts = tree.op, [self.of(part) for part in tree.parts]
        if op == "num":
            return f"{tree.value:.15g}"
        if op == "sym":
            return tree.name.rpartition(".")[2]
        if op == "time":
            return "t"
        if op == "rateof":
            return f"d{tree.name}/dt"
        if op in ("+", "*", "-", "/", "^"):
            return f"({f' {op} '.join(parts)})"
        if op == "neg":
            return f"-{parts[0]}"
        if op in RELATIONS:
            return f" {_SIGNS[op]} ".join(parts)
        if op == "piecewise":
            pairs = [f"{a} if {b}" for a, b in zip(parts[::2], parts[1::2], strict=False)]
            return f"({' else '.join([*pairs, *parts[len(pairs) * 2 :]])})"
        return f"{op}({', '.join(parts)})"
