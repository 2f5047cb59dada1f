"""Reading an SBML file as a model that can be simulated."""

from __future__ import annotations

from pathlib import Path

from seedtrain.simulation._exchange._build import build_model
from seedtrain.simulation._exchange._guard import read_checked
from seedtrain.simulation._exchange._libsbml import read_source
from seedtrain.simulation._exchange._model import SbmlModel


def read_sbml(path: str | Path) -> SbmlModel:
    """A kinetic model of SBML Level 2 or 3 Core; every fault of the file at once, each at its line.

    Raises `InputErrors` for a broken or unsafe file, for what libsbml's validator finds wrong, and for each feature
    that is not supported; `UnavailableError` where python-libsbml is not installed.
    **Source** docs/reference/sbml.md says what is read and what is refused.
    """
    return build_model(read_source(read_checked(Path(path))))
