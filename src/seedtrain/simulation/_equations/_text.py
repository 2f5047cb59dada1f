"""Text of the engine's language, made from a culture's checked expressions."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from seedtrain.base import FUNCTIONS
from seedtrain.simulation._culture import Culture

Line = tuple[str, str]
"""A symbol and its expression."""

_SYMBOL = re.compile(r"\b[A-Za-z]\w*")
_KEPT = {*FUNCTIONS, "if", "else"}


def own(code: str, parameters: Collection[str], zone: str = "") -> str:
    """`code` with each symbol of the culture behind a prefix: `u_` for a parameter, `u<zone>_` for what zones have.

    A culture may so use any name.
    """

    def renamed(found: re.Match[str]) -> str:
        name = found[0]
        if name in _KEPT:
            return name
        return f"u_{name}" if name in parameters else f"u{zone}_{name}"

    return _SYMBOL.sub(renamed, code)


def parameter_names(culture: Culture) -> Collection[str]:
    """What is the same in every zone."""
    return culture.parameters.keys()


def total(terms: Iterable[str]) -> str:
    """The sum of terms; zero where there is none."""
    return " + ".join(terms) or "0.0"
