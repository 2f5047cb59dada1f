"""What people read of a device that offers tags."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from seedtrain.automation._devices import Identity, Plain, Tag, TagValue
from seedtrain.base import translate as _


def device_words(identity: Identity, tags: Sequence[Tag], values: Sequence[TagValue | None]) -> Iterator[str]:
    """A line for the device and one for each tag: name, value, unit, and whether it can be written."""
    made = ", ".join(part for part in (identity.manufacturer, identity.model) if part)
    origin = _("simulated, not for use") if identity.origin == "simulated" else _("measured")
    yield f"{identity.device} ({made}): {origin}" if made else f"{identity.device}: {origin}"
    for tag, value in zip(tags, values, strict=True):
        shown = "" if value is None else f" = {' '.join(filter(None, (_shown(value.value), tag.unit)))}".rstrip()
        bad = f"  ({_('no good value')})" if value is not None and value.quality == "bad" else ""
        yield f"  {tag.name}{shown}{bad}" + (f"  [{_('can be written')}]" if tag.writable else "")


def _shown(value: Plain | None) -> str:
    if isinstance(value, bool) or value is None:
        return "" if value is None else str(value).lower()
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    return f"{value:g}" if isinstance(value, float) else str(value)
