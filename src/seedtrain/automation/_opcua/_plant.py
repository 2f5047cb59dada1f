"""A plant behind an OPC UA server, as the executor drives it."""

from __future__ import annotations

from datetime import timedelta

from seedtrain.automation._mapping_file import MappedPlant
from seedtrain.automation._opcua._check import check_nodes, check_recipe
from seedtrain.automation._opcua._mapping import Mapping as PlantMapping
from seedtrain.automation._opcua._session import Session
from seedtrain.automation._opcua._unit import STRIDE, OpcUaUnit
from seedtrain.recipe import ControlRecipe


class OpcUaPlant(MappedPlant[OpcUaUnit]):
    """The units that a mapping names. It is a context manager; leaving it closes the connection.

    - `control`: the recipe that is to run, checked phase by phase against what the units can do.
    - `owner`: who drives, for instance the batch: a unit that runs for another owner refuses.
    - `patience`: s for which a lost connection is tried again. `stride`: of process time, in lock-step.

    Raises, before anything moves, `InputErrors` for every node that is missing, of the wrong type or unit or cannot be
    written, and for every phase that the equipment lacks; `UnavailableError` where the server cannot be reached.
    """

    def __init__(
        self,
        mapping: PlantMapping,
        control: ControlRecipe | None = None,
        *,
        owner: str = "seedtrain",
        patience: float = 30.0,
        stride: timedelta = STRIDE,
    ) -> None:
        self.mapping = mapping
        self.session = Session(mapping.entry.server, patience=patience, security=mapping.security)
        try:
            check_nodes(mapping, self.session, control)
            self._units = {
                name: OpcUaUnit(name, entry, mapping, self.session, owner=owner, stride=stride)
                for name, entry in mapping.entry.units.items()
            }
            if control is not None:
                check_recipe(control, mapping, {name: unit.templates for name, unit in self._units.items()})
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the connection; the plant goes on with what it does."""
        self.session.close()
