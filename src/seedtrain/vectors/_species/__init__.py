"""Which animal a material comes from."""

from seedtrain.vectors._species._animals import animals_shown
from seedtrain.vectors._species._probit import Probit, fit_probit
from seedtrain.vectors._species._verify import SpeciesReport, markers, species_page, verify_species

__all__ = ["Probit", "SpeciesReport", "animals_shown", "fit_probit", "markers", "species_page", "verify_species"]
