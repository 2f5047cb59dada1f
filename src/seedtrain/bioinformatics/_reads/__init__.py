"""Reads against the sequence that a clone should have."""

from seedtrain.bioinformatics._reads._alleles import Allele, ClassResult, RunLength
from seedtrain.bioinformatics._reads._bench import bench_clone
from seedtrain.bioinformatics._reads._clone import CloneReport, verify_clone
from seedtrain.bioinformatics._reads._consensus import Consensus, Edit
from seedtrain.bioinformatics._reads._limits import CloneLimits, limits_from
from seedtrain.bioinformatics._reads._page import clone_page, criterion_words, sheet_page
from seedtrain.bioinformatics._reads._reference import Reference, parse_reference, read_reference
from seedtrain.bioinformatics._reads._sheet import SheetReport, SheetRow, read_sheet, verify_sheet
from seedtrain.bioinformatics._reads._simulate import ErrorModel, simulate_reads, write_fastq
from seedtrain.bioinformatics._reads._source import Read, read_reads
from seedtrain.bioinformatics._reads._structure import Structure

__all__ = [
    "Allele",
    "ClassResult",
    "CloneLimits",
    "CloneReport",
    "Consensus",
    "Edit",
    "ErrorModel",
    "Read",
    "Reference",
    "RunLength",
    "SheetReport",
    "SheetRow",
    "Structure",
    "bench_clone",
    "clone_page",
    "criterion_words",
    "limits_from",
    "parse_reference",
    "read_reads",
    "read_reference",
    "read_sheet",
    "sheet_page",
    "simulate_reads",
    "verify_clone",
    "verify_sheet",
    "write_fastq",
]
