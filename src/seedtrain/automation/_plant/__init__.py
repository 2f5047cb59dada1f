"""The virtual plant: a process of its own that speaks OPC UA. The code that drives a plant never imports it."""

from seedtrain.automation._plant._process import serve
from seedtrain.automation._plant._settings import PlantSettings

__all__ = ["PlantSettings", "serve"]
