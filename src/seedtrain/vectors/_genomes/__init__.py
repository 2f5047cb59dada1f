"""AAV genomes by their long reads."""

from seedtrain.vectors._genomes._bench import bench_genomes
from seedtrain.vectors._genomes._classes import Arm, End, Genome
from seedtrain.vectors._genomes._crosswalk import CLASSES, class_name, class_words
from seedtrain.vectors._genomes._page import genomes_page
from seedtrain.vectors._genomes._simulate import ReadErrors, example_vector, fastq, random_sequence, simulate_genomes
from seedtrain.vectors._genomes._vector import Source, Vector, make_vector, read_sources, read_vector
from seedtrain.vectors._genomes._verify import GenomeLimits, LotReport, limits_from, verify_genomes

__all__ = [
    "CLASSES",
    "Arm",
    "End",
    "Genome",
    "GenomeLimits",
    "LotReport",
    "ReadErrors",
    "Source",
    "Vector",
    "bench_genomes",
    "class_name",
    "class_words",
    "example_vector",
    "fastq",
    "genomes_page",
    "limits_from",
    "make_vector",
    "random_sequence",
    "read_sources",
    "read_vector",
    "simulate_genomes",
    "verify_genomes",
]
