"""Where the things inside a product come from; what is not declared is unknown, never absent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from seedtrain.base import InputError
from seedtrain.base import translate as _
from seedtrain.quality._materials import ANIMAL_ORIGINS, ORIGINS, UNSPECIFIC, Lot
from seedtrain.quality._verdict import Criterion, Verdict, VerdictWord, combine

UNKNOWN: Final = "unknown"


def origins(lots: Iterable[Lot]) -> dict[str, tuple[str, ...]]:
    """What comes from where: origin (`unknown` where not declared) to "lot: constituent", in the lots' order.

    A lot that lists nothing inside is unknown as a whole.
    """
    found: dict[str, list[str]] = {}
    for lot in lots:
        if not lot.contains:
            found.setdefault(UNKNOWN, []).append(f"{lot.id}: {lot.material}")
        for item in lot.contains:
            found.setdefault(item.origin or UNKNOWN, []).append(f"{lot.id}: {item.name}")
    return {origin: tuple(items) for origin, items in found.items()}


def judge_origin(lots: Sequence[Lot], excluded: str = "porcine") -> Verdict:
    """Whether any of `lots`, the whole genealogy of a product, holds something of the `excluded` origin.

    - `excluded`: one of `ORIGINS`, or `animal` for any of the animal ones.

    A declared one fails. An undeclared constituent, or one that says only `animal`, is inconclusive; so is a genealogy
    without lots. Raises `InputError` for an unknown word.
    """
    if excluded not in (*ORIGINS, UNSPECIFIC):
        raise InputError(f"there is no origin {excluded!r}", remedy=f"Use one of: {', '.join((*ORIGINS, UNSPECIFIC))}.")
    criteria: list[Criterion] = []
    evidence: list[str] = []
    for lot in lots:
        judged = [(item.name, item.origin, _judge_one(item.origin, excluded)) for item in lot.contains]
        if not judged:
            judged = [(lot.material, None, "inconclusive")]
        for name, origin, word in judged:
            if word != "pass":
                evidence.append(f"{lot.id} ({lot.material}): {name}, origin {origin or 'not declared'}")
        value = ", ".join(dict.fromkeys(origin or UNKNOWN for _name, origin, _word in judged))
        criteria.append(
            Criterion(lot.id, value, None, f"excludes {excluded}", None, combine(word for *_rest, word in judged))
        )
    return Verdict.of(criteria, evidence)


def _judge_one(origin: str | None, excluded: str) -> VerdictWord:
    animal = excluded == UNSPECIFIC or excluded in ANIMAL_ORIGINS
    if origin is None:
        return "inconclusive"
    if origin == excluded or (excluded == UNSPECIFIC and origin in ANIMAL_ORIGINS):
        return "fail"
    return "inconclusive" if animal and origin == UNSPECIFIC else "pass"


def origin_words(origin: str) -> str:
    """An origin in the language in use."""
    return {
        "porcine": _("porcine origin"),
        "bovine": _("bovine origin"),
        "ovine": _("ovine origin"),
        "avian": _("avian origin"),
        "fish": _("fish origin"),
        "human": _("human origin"),
        "insect": _("insect origin"),
        "plant": _("plant origin"),
        "microbial": _("microbial origin"),
        "mineral": _("mineral origin"),
        "synthetic": _("synthetic origin"),
        "animal": _("animal origin, species not declared"),
        "unknown": _("unknown origin"),
    }[origin]
