"""The equations of a culture in a vessel, as text for the engine."""

from seedtrain.simulation._equations._places import LEFT, LIQUID, OBSERVED, Kind, Layout
from seedtrain.simulation._equations._system import culture_system

__all__ = ["LEFT", "LIQUID", "OBSERVED", "Kind", "Layout", "culture_system"]
