"""A tank that is integrated while somebody drives it: actuators in, the truth behind the sensors out."""

from seedtrain.simulation._live._tank import Broth, LiveTank, TankInputs

__all__ = ["Broth", "LiveTank", "TankInputs"]
