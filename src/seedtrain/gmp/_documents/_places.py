"""Where each item of 21 CFR 211.188 stands in the printed batch record, as data."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from seedtrain.base import language, parse_document


@dataclass(frozen=True)
class Place:
    """One item of the rule, abridged, and the section that shows it; `note` says what the record does not hold."""

    clause: str
    words: str
    section: str
    note: str


def places() -> tuple[Place, ...]:
    """The items in the order of the rule, in the language in use."""
    return _places(language())


@cache
def _places(tongue: str) -> tuple[Place, ...]:
    text = files("seedtrain.gmp").joinpath("_documents/places.yaml").read_text("utf-8")
    rows = parse_document(text, "places.yaml").data
    words, note = ("zh", "note_zh") if tongue == "zh" else ("words", "note")
    return tuple(Place(row["clause"], row[words], row["section"], row.get(note, "")) for row in rows)
