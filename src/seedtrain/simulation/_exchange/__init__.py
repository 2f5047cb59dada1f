"""Models in and out: SBML read, simulated and written."""

from seedtrain.simulation._exchange._drive import simulate_sbml
from seedtrain.simulation._exchange._model import Quantity, SbmlModel
from seedtrain.simulation._exchange._read import read_sbml
from seedtrain.simulation._exchange._sbml_run import SbmlRun
from seedtrain.simulation._exchange._write import write_sbml

__all__ = ["Quantity", "SbmlModel", "SbmlRun", "read_sbml", "simulate_sbml", "write_sbml"]
