"""Who drives a unit, as a tag of its device says: one executor keeps the others away."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

from seedtrain.automation._devices import TagDevice
from seedtrain.base import InputError, UnavailableError

BEAT_S: Final = 2.0
"""s between two claims of a unit that is ours: by them a device knows that somebody drives it."""


@dataclass
class OwnerTag:
    """The tag `tag` of unit `unit`; empty: the device has none, and nothing is claimed.

    A device with sense gives the unit to the first who claims it and refuses others; on one without, the tag is a note
    that executors keep to.
    """

    unit: str
    tag: str
    owner: str
    device: TagDevice
    _claimed: float | None = None

    def claim(self) -> None:
        """Say that we drive it, every now and then; raises `InputError` where somebody else does."""
        if not self.tag or (self._claimed is not None and time.monotonic() - self._claimed < BEAT_S):
            return
        held = self._held()
        if held not in ("", self.owner):
            raise self._taken(held)
        try:
            self.device.write({self.tag: self.owner})
        except (InputError, UnavailableError):
            held = self._held()
            if held in ("", self.owner):
                raise
            raise self._taken(held) from None
        held = self._held()
        if held != self.owner:
            raise self._taken(held)
        self._claimed = time.monotonic()

    def release(self) -> None:
        """Say that nobody drives it, where we said that we do."""
        if self._claimed is not None and self._held() == self.owner:
            self.device.write({self.tag: ""})
        self._claimed = None

    def _held(self) -> str:
        (found,) = self.device.read([self.tag])
        return found.value.strip("\x00 ") if isinstance(found.value, str) else ""

    def _taken(self, held: str) -> InputError:
        return InputError(
            f"{self.unit} is driven by {held!r}, by its tag {self.tag}, and cannot be driven by {self.owner!r}",
            remedy="Stop the other executor; if it is gone and the tag stays, clear the tag.",
        )
