"""From sequence to figures: the protein, a gene for its host, and what the strain can do at best."""

from seedtrain.bioinformatics._protein import (
    AMINO_ACIDS,
    ATP_PER_RESIDUE,
    Protein,
    parse_protein,
    read_protein,
)

__all__ = [
    "AMINO_ACIDS",
    "ATP_PER_RESIDUE",
    "Protein",
    "parse_protein",
    "read_protein",
]
