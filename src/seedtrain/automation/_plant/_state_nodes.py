"""The state machines of LADS: which state of its type each one is in (OPC 30500-1, 7.1; OPC 10000-16)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from asyncua import ua

from seedtrain.automation._lads import ACTIVE, LADS_TYPES, MACHINE_STATE
from seedtrain.automation._plant._members import TypeMembers
from seedtrain.automation._plant._types import Types
from seedtrain.recipe import State

UNIT_STATE: Final = "FunctionalUnitState"
RUNNING_STATE: Final = f"{UNIT_STATE}/RunningStateMachine"
_UNIT_STATES: Final = ("Stopped", ACTIVE, "Stopping", "Aborting", "Aborted", "Clearing")
_UNIT_MOVES: Final = (
    "StoppedToRunning",
    "RunningToStopping",
    "StoppingToStopped",
    "RunningToAborting",
    "AbortingToAborted",
    "AbortedToClearing",
    "ClearingToStopped",
)
_CONTROL_STATES: Final = ("Stopped", ACTIVE, "Stopping")
_CONTROL_MOVES: Final = ("StoppedToRunning", "RunningToStopping", "StoppingToStopped")
INACTIVE: Final = ua.DataValue(ua.Variant(None, ua.VariantType.Null), ua.StatusCode(ua.StatusCodes.BadStateNotActive))
"""The state of a machine within another one's state which that one is not in (part 16, 4.4.9)."""


def localized(words: str) -> ua.Variant:
    """Words for people."""
    return ua.Variant(ua.LocalizedText(words), ua.VariantType.LocalizedText)


def _node(node: ua.NodeId) -> ua.Variant:
    return ua.Variant(node, ua.VariantType.NodeId)


class StateNodes:
    """The states that the types of a server declare."""

    def __init__(self, types: Types, members: TypeMembers) -> None:
        self._ids = {
            name: {item.BrowseName.Name: item.NodeId for item in members.states(types.id(f"4:{LADS_TYPES[name]}"))}
            for name in LADS_TYPES
            if name.endswith("StateMachineType")
        }

    def state(self, machine: str, word: str) -> ua.NodeId:
        """The node of a state of a type of machine."""
        return self._ids[machine][word]

    def values(self, machine: str, path: str, word: str) -> dict[str, ua.Variant]:
        """What a machine's variables hold, by their paths."""
        return {f"{path}/CurrentState": localized(word), f"{path}/CurrentState/Id": _node(self.state(machine, word))}

    def _offered(
        self, machine: str, path: str, states: tuple[str, ...], moves: tuple[str, ...]
    ) -> dict[str, ua.Variant]:
        return {
            f"{path}/{name}": ua.Variant(
                [self.state(machine, word) for word in words], ua.VariantType.NodeId, is_array=True
            )
            for name, words in (("AvailableStates", states), ("AvailableTransitions", moves))
        }

    def device(self) -> dict[str, ua.Variant]:
        """A device that operates; it never does anything else."""
        return self.values("LADSDeviceStateMachineType", "DeviceState", "Operate")

    def unit(self, state: State) -> Mapping[str, ua.DataValue]:
        """The two machines of a functional unit, the inner one bad where the outer is not running."""
        word, inner = MACHINE_STATE[state]
        found = {
            path: ua.DataValue(value)
            for path, value in self.values("FunctionalUnitStateMachineType", UNIT_STATE, word).items()
        }
        found[f"{UNIT_STATE}/CurrentState/EffectiveDisplayName"] = ua.DataValue(localized(shown(state)))
        within = self.values("RunningStateMachineType", RUNNING_STATE, inner) if inner else {}
        for name in ("CurrentState", "CurrentState/Id"):
            path = f"{RUNNING_STATE}/{name}"
            found[path] = ua.DataValue(within[path]) if inner else INACTIVE
        return found

    def unit_before(self) -> dict[str, ua.Variant]:
        """What the variables of both machines hold before anything is known."""
        found = {path: item.Value for path, item in self.unit(State.IDLE).items() if item.Value is not None}
        found[f"{RUNNING_STATE}/CurrentState"] = localized("")
        found[f"{RUNNING_STATE}/CurrentState/Id"] = _node(ua.NodeId())
        return found

    def unit_offers(self) -> dict[str, ua.Variant]:
        """The states that a functional unit can be in, and the transitions between them."""
        return self._offered("FunctionalUnitStateMachineType", UNIT_STATE, _UNIT_STATES, _UNIT_MOVES)

    def control(self, path: str, running: bool) -> dict[str, ua.Variant]:
        """The machine of a controller: whether it follows a target."""
        return self.values("ControlFunctionStateMachineType", path, ACTIVE if running else "Stopped")

    def control_offers(self, path: str) -> dict[str, ua.Variant]:
        """The states that a controller can be in, and the transitions between them."""
        return self._offered("ControlFunctionStateMachineType", path, _CONTROL_STATES, _CONTROL_MOVES)


def shown(state: State) -> str:
    """What is shown of a unit in one word: its state, or the one within."""
    word, inner = MACHINE_STATE[state]
    return inner or word
