"""A plant behind a device that offers tags, as the executor drives it."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

from seedtrain.automation._devices import Lockable, TagDevice
from seedtrain.automation._mapping_file import MappedPlant
from seedtrain.automation._protocols._check import check_phases, check_tags
from seedtrain.automation._protocols._mapping import TagMapping
from seedtrain.automation._protocols._open import mapped_device
from seedtrain.automation._protocols._tag_unit import TagUnit
from seedtrain.base import InputError, UnavailableError
from seedtrain.recipe import ControlRecipe


class TagPlant(MappedPlant[TagUnit]):
    """The units that a mapping of tags names. It is a context manager; leaving it closes the connection.

    - `control`: the recipe that is to run, checked phase by phase against what the units can do.
    - `device`: already connected; without it the mapping's is. `owner`: who drives, for instance the batch: devices
      that can be locked, and units with a tag for their owner, are kept from others.

    Raises, before anything moves, `InputErrors` for every tag that is missing, of the wrong kind or unit or cannot be
    written, and for every phase that the equipment lacks; `UnavailableError` where the device cannot be reached.
    """

    def __init__(
        self,
        mapping: TagMapping,
        control: ControlRecipe | None = None,
        *,
        device: TagDevice | None = None,
        owner: str = "seedtrain",
    ) -> None:
        self.mapping = mapping
        self._units = {}
        self.device = device or mapped_device(mapping)
        try:
            if isinstance(self.device, Lockable):
                self.device.lock(owner)
            check_tags(mapping, self.device)
            if control is not None:
                check_phases(control, mapping)
        except BaseException:
            self.close()
            raise
        self._units = {
            name: TagUnit(name, entry, self.device, mapping.poll, self._now, owner=owner)
            for name, entry in mapping.entry.units.items()
        }

    def _now(self) -> datetime:
        """The process time: the plant's own where it has a clock, else the time."""
        if self.mapping.entry.clock:
            (found,) = self.device.read([self.mapping.entry.clock])
            if isinstance(found.value, datetime):
                return found.value
        return datetime.now(UTC)

    def close(self) -> None:
        """Let go of what does not run, and close the connection; the plant goes on with what it does."""
        try:
            for unit in self._units.values():
                unit.release()
        except (InputError, UnavailableError) as error:  # it may be away already
            logging.getLogger(__name__).warning("%s: not released: %s", self.device.name, error.message)
        finally:
            self.device.close()
