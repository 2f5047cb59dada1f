"""Whose material a sample holds, as far as a method tells: animals, alone, undecided between some, or a mixture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from seedtrain.base import translate as _
from seedtrain.quality import Criterion

PORCINE: Final = ("porcine", "pig", "pork", "swine", "sus")
"""Names of the animal that is looked for."""


@dataclass(frozen=True)
class Judged:
    """What one table says.

    - `detected`: the target by the rule; `clean`: everything is negative, with blanks and controls as they should be.
    - `animals`: found, each as those among which the method cannot decide: `(("porcine",), ("cattle", "sheep"))`.
    """

    criteria: tuple[Criterion, ...]
    evidence: tuple[str, ...]
    detected: bool
    clean: bool
    animals: tuple[tuple[str, ...], ...] = ()


def told(animals: Sequence[Sequence[str]]) -> str:
    """Animals as they stand in the evidence: `cattle or sheep; porcine (a mixture)`."""
    if not animals:
        return "none told"
    words = "; ".join(" or ".join(group) for group in sorted(map(sorted, animals)))
    return f"{words} (a mixture)" if len(animals) > 1 else words


def animal_words(name: str) -> str:
    """An animal's name in the language in use; another name as it stands."""
    return {
        "porcine": _("pig"),
        "cattle": _("cattle"),
        "bovine": _("cattle"),
        "buffalo": _("buffalo"),
        "horse": _("horse"),
        "sheep": _("sheep"),
        "dog": _("dog"),
        "fish": _("fish"),
    }.get(name, name)


def animals_shown(animals: Sequence[Sequence[str]]) -> str:
    """`told` in the language in use."""
    if not animals:
        return _("none told")
    between = " " + _("or") + " "
    words = "; ".join(between.join(map(animal_words, group)) for group in sorted(map(sorted, animals)))
    return _("{animals} (a mixture)").format(animals=words) if len(animals) > 1 else words
