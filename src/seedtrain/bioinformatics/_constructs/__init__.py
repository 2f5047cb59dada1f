"""Constructs: assembly plans, primers, simulated cloning; DNA in and out as GenBank, FASTA and SBOL 3; plasmid maps."""

from seedtrain.bioinformatics._constructs._design import Construct, construct_words, design_construct
from seedtrain.bioinformatics._constructs._expression import ExpressionVector, expression_plan, expression_vector
from seedtrain.bioinformatics._constructs._map import plasmid_map
from seedtrain.bioinformatics._constructs._page import construct_page
from seedtrain.bioinformatics._constructs._plan import AssemblyPlan, Part, read_plan
from seedtrain.bioinformatics._constructs._primers import Conditions, Primer, melting_temperature, primer_pair
from seedtrain.bioinformatics._constructs._read import parse_dna, read_dna
from seedtrain.bioinformatics._constructs._record import DnaRecord, Feature, join, same_circle, stretch
from seedtrain.bioinformatics._constructs._sbol import sbol3
from seedtrain.bioinformatics._constructs._write import dna_genbank, fasta

__all__ = [
    "AssemblyPlan",
    "Conditions",
    "Construct",
    "DnaRecord",
    "ExpressionVector",
    "Feature",
    "Part",
    "Primer",
    "construct_page",
    "construct_words",
    "design_construct",
    "dna_genbank",
    "expression_plan",
    "expression_vector",
    "fasta",
    "join",
    "melting_temperature",
    "parse_dna",
    "plasmid_map",
    "primer_pair",
    "read_dna",
    "read_plan",
    "same_circle",
    "sbol3",
    "stretch",
]
