"""Assay statistics with intervals."""

from seedtrain.vectors._assays._estimate import Estimate, Finding, Setting
from seedtrain.vectors._assays._verify import ASSAYS, AssayKind, AssayReport, assay_page, assay_words, verify_assay

__all__ = [
    "ASSAYS",
    "AssayKind",
    "AssayReport",
    "Estimate",
    "Finding",
    "Setting",
    "assay_page",
    "assay_words",
    "verify_assay",
]
