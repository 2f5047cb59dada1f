"""The integration engine: a system of equations as text in, trajectories with events and sensitivities out."""

from seedtrain.simulation._engine._compiled import Compiled, Method, compile_system
from seedtrain.simulation._engine._outside import numba_system
from seedtrain.simulation._engine._schedule import (
    CROSSING,
    CROSSINGS_KEPT,
    DONE,
    END_STRETCH,
    END_TRAJECTORY,
    IGNORE,
    LOG,
    NOT_FINITE,
    RAISED,
    REASONS,
    STEP_TOO_SMALL,
    TOO_MANY_STEPS,
    Crossings,
    Schedule,
    Seeds,
    Trajectories,
)
from seedtrain.simulation._engine._system import System

# Their names at the door of the room, where a schedule or a system could be of anything.
CompiledSystem = Compiled
EngineSchedule = Schedule
EngineSeeds = Seeds
EngineSystem = System

__all__ = [
    "CROSSING",
    "CROSSINGS_KEPT",
    "DONE",
    "END_STRETCH",
    "END_TRAJECTORY",
    "IGNORE",
    "LOG",
    "NOT_FINITE",
    "RAISED",
    "REASONS",
    "STEP_TOO_SMALL",
    "TOO_MANY_STEPS",
    "Compiled",
    "CompiledSystem",
    "Crossings",
    "EngineSchedule",
    "EngineSeeds",
    "EngineSystem",
    "Method",
    "Schedule",
    "Seeds",
    "System",
    "Trajectories",
    "compile_system",
    "numba_system",
]
