"""A plant behind a device that offers tags, as the executor drives it."""

from __future__ import annotations

from datetime import UTC, datetime

from seedtrain.automation._devices import TagDevice
from seedtrain.automation._mapping_file import MappedPlant
from seedtrain.automation._protocols._check import check_phases, check_tags
from seedtrain.automation._protocols._mapping import TagMapping
from seedtrain.automation._protocols._open import mapped_device
from seedtrain.automation._protocols._tag_unit import TagUnit
from seedtrain.recipe import ControlRecipe


class TagPlant(MappedPlant[TagUnit]):
    """The units that a mapping of tags names. It is a context manager; leaving it closes the connection.

    - `control`: the recipe that is to run, checked phase by phase against what the units can do.
    - `device`: already connected; without it the mapping's is.

    Raises, before anything moves, `InputErrors` for every tag that is missing, of the wrong kind or unit or cannot be
    written, and for every phase that the equipment lacks; `UnavailableError` where the device cannot be reached.
    """

    def __init__(
        self, mapping: TagMapping, control: ControlRecipe | None = None, *, device: TagDevice | None = None
    ) -> None:
        self.mapping = mapping
        self.device = device or mapped_device(mapping)
        try:
            check_tags(mapping, self.device)
            if control is not None:
                check_phases(control, mapping)
        except BaseException:
            self.close()
            raise
        self._units = {
            name: TagUnit(name, entry, self.device, mapping.poll, self._now)
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
        """Close the connection; the plant goes on with what it does."""
        self.device.close()
