"""Reads against the sequence that a clone should have."""

from seedtrain.bioinformatics._reads._align import Laid, Segment, best_hits, lay, make_aligner, oriented
from seedtrain.bioinformatics._reads._alleles import Allele, ClassResult, RunLength
from seedtrain.bioinformatics._reads._bench import bench_clone
from seedtrain.bioinformatics._reads._clone import CloneReport, verify_clone
from seedtrain.bioinformatics._reads._consensus import Consensus, Edit
from seedtrain.bioinformatics._reads._limits import CloneLimits, limits_from
from seedtrain.bioinformatics._reads._lot import judge_lot, read_lot_specification
from seedtrain.bioinformatics._reads._packages import reads_package
from seedtrain.bioinformatics._reads._page import clone_page, sheet_page
from seedtrain.bioinformatics._reads._page_parts import criterion_words
from seedtrain.bioinformatics._reads._reference import Reference, parse_reference, read_reference, reverse_complement
from seedtrain.bioinformatics._reads._sheet import SheetReport, SheetRow, read_sheet, sheet_rows, verify_sheet
from seedtrain.bioinformatics._reads._simulate import ErrorModel, simulate_reads, write_fastq
from seedtrain.bioinformatics._reads._source import Read, Sample, read_reads, sample_of, take_sample
from seedtrain.bioinformatics._reads._statistics import poisson_tail, wilson
from seedtrain.bioinformatics._reads._structure import Structure
from seedtrain.bioinformatics._reads._trace import Trace, read_trace
from seedtrain.bioinformatics._reads._trace_page import trace_page
from seedtrain.bioinformatics._reads._trace_simulate import simulate_trace
from seedtrain.bioinformatics._reads._trace_verdict import (
    TraceLimits,
    TraceReport,
    is_trace,
    trace_files,
    trace_limits_from,
    verify_traces,
)

__all__ = [
    "Allele",
    "ClassResult",
    "CloneLimits",
    "CloneReport",
    "Consensus",
    "Edit",
    "ErrorModel",
    "Laid",
    "Read",
    "Reference",
    "RunLength",
    "Sample",
    "Segment",
    "SheetReport",
    "SheetRow",
    "Structure",
    "Trace",
    "TraceLimits",
    "TraceReport",
    "bench_clone",
    "best_hits",
    "clone_page",
    "criterion_words",
    "is_trace",
    "judge_lot",
    "lay",
    "limits_from",
    "make_aligner",
    "oriented",
    "parse_reference",
    "poisson_tail",
    "read_lot_specification",
    "read_reads",
    "read_reference",
    "read_sheet",
    "read_trace",
    "reads_package",
    "reverse_complement",
    "sample_of",
    "sheet_page",
    "sheet_rows",
    "simulate_reads",
    "simulate_trace",
    "take_sample",
    "trace_files",
    "trace_limits_from",
    "trace_page",
    "verify_clone",
    "verify_sheet",
    "verify_traces",
    "wilson",
    "write_fastq",
]
