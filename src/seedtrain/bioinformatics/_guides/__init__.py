"""Guides: a genome indexed PAM first, every off-target, published scores, and designs with their verdicts."""

from seedtrain.bioinformatics._guides._bench import bench_guides
from seedtrain.bioinformatics._guides._design import GuideDesign, design_guides
from seedtrain.bioinformatics._guides._guide import Editing, Guide, GuideRequirements
from seedtrain.bioinformatics._guides._index import GenomeIndex, build_genome_index, genome_index, open_genome_index
from seedtrain.bioinformatics._guides._nucleases import NUCLEASES, Nuclease, nuclease_of
from seedtrain.bioinformatics._guides._report import guides_genbank, guides_gff3, guides_table
from seedtrain.bioinformatics._guides._score import cfd, rule_set_1, specificity
from seedtrain.bioinformatics._guides._search import Hit, Hits, search_guides
from seedtrain.bioinformatics._guides._target import Target, located, target_file, target_region, target_sequence

__all__ = [
    "NUCLEASES",
    "Editing",
    "GenomeIndex",
    "Guide",
    "GuideDesign",
    "GuideRequirements",
    "Hit",
    "Hits",
    "Nuclease",
    "Target",
    "bench_guides",
    "build_genome_index",
    "cfd",
    "design_guides",
    "genome_index",
    "guides_genbank",
    "guides_gff3",
    "guides_table",
    "located",
    "nuclease_of",
    "open_genome_index",
    "rule_set_1",
    "search_guides",
    "specificity",
    "target_file",
    "target_region",
    "target_sequence",
]
