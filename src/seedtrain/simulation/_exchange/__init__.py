"""Models in and out: SBML read, simulated and written; any model as HTML, PDF or LaTeX."""

from seedtrain.simulation._exchange._drive import simulate_sbml
from seedtrain.simulation._exchange._model import Quantity, SbmlModel
from seedtrain.simulation._exchange._present import model_blocks
from seedtrain.simulation._exchange._read import read_sbml
from seedtrain.simulation._exchange._render import model_section, to_html, to_latex, to_pdf
from seedtrain.simulation._exchange._sbml_run import SbmlRun
from seedtrain.simulation._exchange._start import sbml_start
from seedtrain.simulation._exchange._write import write_sbml

__all__ = [
    "Quantity",
    "SbmlModel",
    "SbmlRun",
    "model_blocks",
    "model_section",
    "read_sbml",
    "sbml_start",
    "simulate_sbml",
    "to_html",
    "to_latex",
    "to_pdf",
    "write_sbml",
]
