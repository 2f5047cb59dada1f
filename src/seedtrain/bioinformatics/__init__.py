"""From sequence to figures: the protein, a gene for its host, and what the strain can do at best."""

from seedtrain.bioinformatics._design import design_gene
from seedtrain.bioinformatics._drain import BIGG_AMINO_ACIDS, Drain, drain
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
from seedtrain.bioinformatics._strain import EnvelopePoint, MarginalCost, Question, StrainLimits, strain_limits

__all__ = [
    "AMINO_ACIDS",
    "ATP_PER_RESIDUE",
    "BIGG_AMINO_ACIDS",
    "DEFAULT_SITES",
    "TRANSLATION_RULE",
    "Drain",
    "EnvelopePoint",
    "Gene",
    "GeneFigures",
    "GeneRequirements",
    "Host",
    "MarginalCost",
    "Protein",
    "Question",
    "Relaxation",
    "StrainLimits",
    "TranslationRule",
    "adaptation_index",
    "design_gene",
    "drain",
    "genbank",
    "host_names",
    "limit_words",
    "parse_protein",
    "read_host",
    "read_protein",
    "strain_limits",
]
