"""The equations of a culture in a vessel, as text for the engine."""

from seedtrain.simulation._equations._closure import closure
from seedtrain.simulation._equations._conversion import zone_lines
from seedtrain.simulation._equations._places import GASES, LEFT, LIQUID, OBSERVED, SHARE, Kind, Layout
from seedtrain.simulation._equations._system import culture_system
from seedtrain.simulation._equations._text import Line
from seedtrain.simulation._equations._vessel_lines import solubility, vapour

__all__ = [
    "GASES",
    "LEFT",
    "LIQUID",
    "OBSERVED",
    "SHARE",
    "Kind",
    "Layout",
    "Line",
    "closure",
    "culture_system",
    "solubility",
    "vapour",
    "zone_lines",
]
