"""Multivariate monitoring of batches: a model of good ones, and what a running one does beside it."""

from seedtrain.automation._monitoring._bench import bench_monitoring, monitoring_rows
from seedtrain.automation._monitoring._file import GoldenBatches, GoldenPhase, read_golden, write_golden
from seedtrain.automation._monitoring._fit import fit_golden
from seedtrain.automation._monitoring._follow import GoldenPoint, GoldenWatch
from seedtrain.automation._monitoring._golden import Planted, golden_batch, planted_faults
from seedtrain.automation._monitoring._latent import Latent, components_of, nipals, pca, pls
from seedtrain.automation._monitoring._learn import learn_golden
from seedtrain.automation._monitoring._model import Finding, Golden, GoldenModel, Trace

__all__ = [
    "Finding",
    "Golden",
    "GoldenBatches",
    "GoldenModel",
    "GoldenPhase",
    "GoldenPoint",
    "GoldenWatch",
    "Latent",
    "Planted",
    "Trace",
    "bench_monitoring",
    "components_of",
    "fit_golden",
    "golden_batch",
    "learn_golden",
    "monitoring_rows",
    "nipals",
    "pca",
    "planted_faults",
    "pls",
    "read_golden",
    "write_golden",
]
