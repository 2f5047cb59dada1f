"""Packed columns by rate models: lumped (transport-dispersive) and general (film, pore and surface diffusion)."""

from seedtrain.simulation._downstream._chromatography._bed import Bed, Chromatogram, Grid, Inlet, State
from seedtrain.simulation._downstream._chromatography._cadet import Cadet
from seedtrain.simulation._downstream._chromatography._elute import ColumnError
from seedtrain.simulation._downstream._chromatography._engines import elute
from seedtrain.simulation._downstream._chromatography._isotherm import Isotherm, Langmuir, Linear, StericMassAction

__all__ = [
    "Bed",
    "Cadet",
    "Chromatogram",
    "ColumnError",
    "Grid",
    "Inlet",
    "Isotherm",
    "Langmuir",
    "Linear",
    "State",
    "StericMassAction",
    "elute",
]
