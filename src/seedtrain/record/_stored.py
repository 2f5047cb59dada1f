"""What stands in the ledger already, told to somebody who would record something else under the same id."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from seedtrain.base import InputError
from seedtrain.record._event import Draft, Event

LONGEST: Final = 80
"""Characters of a value that are shown."""
_ABSENT: Final = "nothing"


class StoredError(InputError):
    """Something else is recorded already where this would be: `stored` stands, `draft` was refused."""

    def __init__(self, stored: Event, draft: Draft) -> None:
        said = "; ".join(differences(stored, draft))
        super().__init__(
            f"{stored.type} of {stored.subject} is recorded already, by {stored.actor} at {stored.occurred_at} "
            f"(event {stored.seq}), and differs: {said}",
            remedy="What is recorded stays. Correct it with a reason, or give the other one an id of its own.",
        )
        self.stored = stored
        self.draft = draft


def differences(stored: Event, draft: Draft) -> Iterator[str]:
    """Where the two differ, as `name: what stands, not what was asked for`."""
    for name in ("type", "subject", "actor", "device", "reason", "corrects"):
        yield from _different(name, getattr(stored, name), getattr(draft, name))
    yield from _parts("", stored.payload, draft.payload)


def _parts(path: str, stored: Mapping[str, Any], asked: Mapping[str, Any]) -> Iterator[str]:
    for name in dict.fromkeys((*stored, *asked)):
        before, after = stored.get(name), asked.get(name)
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            yield from _parts(f"{path}{name}.", before, after)
        else:
            yield from _different(path + name, before, after)


def _different(name: str, stored: object, asked: object) -> Iterator[str]:
    if isinstance(stored, (list, tuple)) and isinstance(asked, (list, tuple)):
        stored, asked = list(stored), list(asked)
    if stored != asked:
        yield f"{name} {_short(stored)}, not {_short(asked)}"


def _short(value: object) -> str:
    text = _ABSENT if value in (None, "") else str(value)
    return text if len(text) <= LONGEST else text[:LONGEST] + " \u2026"
