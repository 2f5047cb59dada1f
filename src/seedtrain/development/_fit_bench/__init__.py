"""Estimation measured: a published problem beside pyPESTO and AMICI, a fed-batch, and how often intervals cover."""

from seedtrain.development._fit_bench._bench import bench_fit

__all__ = ["bench_fit"]
