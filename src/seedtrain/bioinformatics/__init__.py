"""From sequence to figures: the protein, a gene for its host, and what the strain can do at best."""

from seedtrain.bioinformatics._design import design_gene
from seedtrain.bioinformatics._genbank import genbank
from seedtrain.bioinformatics._gene import (
    DEFAULT_SITES,
    TRANSLATION_RULE,
    Gene,
    GeneFigures,
    GeneRequirements,
    Relaxation,
    TranslationRule,
    limit_words,
)
from seedtrain.bioinformatics._hosts import Host, adaptation_index, host_names, read_host
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
    "DEFAULT_SITES",
    "TRANSLATION_RULE",
    "Gene",
    "GeneFigures",
    "GeneRequirements",
    "Host",
    "Protein",
    "Relaxation",
    "TranslationRule",
    "adaptation_index",
    "design_gene",
    "genbank",
    "host_names",
    "limit_words",
    "parse_protein",
    "read_host",
    "read_protein",
]
