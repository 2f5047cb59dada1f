"""Multivariate monitoring of batches: a model of good ones, and what a running one does beside it."""

from seedtrain.automation._monitoring._bench import bench_monitoring, monitoring_rows
from seedtrain.automation._monitoring._golden import Planted, golden_batch, planted_faults
from seedtrain.automation._monitoring._latent import Latent, components_of, nipals, pca, pls
from seedtrain.automation._monitoring._model import Finding, Golden, GoldenModel, Trace, fit_golden

__all__ = [
    "Finding",
    "Golden",
    "GoldenModel",
    "Latent",
    "Planted",
    "Trace",
    "bench_monitoring",
    "components_of",
    "fit_golden",
    "golden_batch",
    "monitoring_rows",
    "nipals",
    "pca",
    "planted_faults",
    "pls",
]
