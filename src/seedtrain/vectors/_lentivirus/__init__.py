"""Proviruses of lentiviral vectors by their long reads."""

from seedtrain.vectors._lentivirus._page import provirus_page
from seedtrain.vectors._lentivirus._provirus import Part, Provirus, make_provirus, read_provirus
from seedtrain.vectors._lentivirus._simulate import example_provirus, simulate_proviruses
from seedtrain.vectors._lentivirus._verify import (
    ProvirusLimits,
    ProvirusReport,
    provirus_limits_from,
    verify_provirus,
)

__all__ = [
    "Part",
    "Provirus",
    "ProvirusLimits",
    "ProvirusReport",
    "example_provirus",
    "make_provirus",
    "provirus_limits_from",
    "provirus_page",
    "read_provirus",
    "simulate_proviruses",
    "verify_provirus",
]
