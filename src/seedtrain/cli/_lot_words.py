"""How `seedtrain lot` shows a lot to people: its fields, its tests, what became of it, in the language in use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from seedtrain.base import translate as _


def field_words(name: str) -> str:
    """A stated field of a lot in the language in use."""
    return {
        "material": _("material"),
        "quantity": _("quantity"),
        "unit": _("unit"),
        "supplier": _("supplier"),
        "supplier_lot": _("supplier's lot"),
        "manufacturer": _("manufacturer"),
        "expiry": _("expiry"),
        "retest": _("retest"),
        "contains": _("contains"),
        "certificates": _("certificates"),
        "storage": _("storage"),
        "location": _("location"),
        "containers": _("containers"),
        "order": _("order"),
        "gtin": _("GTIN"),
        "patient": _("patient's token"),
        "origin": _("origin"),
        "status": _("status"),
    }.get(name, name)


def in_a_line(value: Any) -> str:
    """A stated field as people write it in a CSV file: several in one line, what is inside with its origin."""
    if not isinstance(value, list):
        return str(value)
    return "; ".join(
        f"{item['name']}={item['origin'] or ''}" if isinstance(item, dict) else str(item) for item in value
    )


def stated_lines(stated: Mapping[str, Any]) -> Iterator[str]:
    """What was stated of a lot, a field a line."""
    from seedtrain.gmp import status_words

    for name, value in stated.items():
        if value in ("", [], None):
            continue
        text = status_words(value) if name == "status" else origin(value) if name == "origin" else in_a_line(value)
        yield f"  {field_words(name)}: {text}"


def origin(value: str) -> str:
    """Where a lot's data come from, in the language in use."""
    return {"simulated": _("simulated"), "measured": _("measured")}.get(value, value)


def test_line(item: Mapping[str, Any]) -> str:
    """A test of a lot: its number in the record, what was found, its limit, and whether it conforms."""
    from seedtrain.gmp import result_words

    state = result_words(str(item["state"]))
    return f"  {item['seq']:>6} {item['attribute']} {item['reported']} ({item['limit']}): {state}"
