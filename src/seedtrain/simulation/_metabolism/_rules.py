"""Gene rules of reactions: whether a reaction still works without certain genes."""

from __future__ import annotations

import re
from collections.abc import Set
from typing import Final

_TOKEN: Final = re.compile(r"\(|\)|&&?|\|\|?|[^\s()&|]+")
_AND: Final = frozenset(("and", "&", "&&"))
_OR: Final = frozenset(("or", "|", "||"))


def genes(rule: str) -> frozenset[str]:
    """The genes that `rule` names."""
    return frozenset(word for word in _TOKEN.findall(rule) if word not in "()" and word.lower() not in _AND | _OR)


def carries(rule: str, lost: Set[str]) -> bool:
    """Whether a reaction with the gene rule `rule` still works when the genes in `lost` do not.

    `rule` is made of gene names, `and`, `or` and parentheses, where `and` binds tighter; an empty one always works.
    Raises `ValueError` for anything else.
    """
    tokens = _TOKEN.findall(rule)
    if not tokens:
        return True
    value, rest = _either(tokens, 0, lost)
    if rest != len(tokens):
        raise ValueError(f"the gene rule {rule!r} cannot be read")
    return value


def _either(tokens: list[str], at: int, lost: Set[str]) -> tuple[bool, int]:
    value, at = _both(tokens, at, lost)
    while at < len(tokens) and tokens[at].lower() in _OR:
        other, at = _both(tokens, at + 1, lost)
        value = value or other
    return value, at


def _both(tokens: list[str], at: int, lost: Set[str]) -> tuple[bool, int]:
    value, at = _gene(tokens, at, lost)
    while at < len(tokens) and tokens[at].lower() in _AND:
        other, at = _gene(tokens, at + 1, lost)
        value = value and other
    return value, at


def _gene(tokens: list[str], at: int, lost: Set[str]) -> tuple[bool, int]:
    if at >= len(tokens) or tokens[at] == ")" or tokens[at].lower() in _AND | _OR:
        raise ValueError(f"the gene rule {' '.join(tokens)!r} cannot be read")
    if tokens[at] == "(":
        value, at = _either(tokens, at + 1, lost)
        if at >= len(tokens) or tokens[at] != ")":
            raise ValueError(f"the gene rule {' '.join(tokens)!r} lacks a closing parenthesis")
        return value, at + 1
    return tokens[at] not in lost, at + 1
