"""The downstream train: unit operations with sourced models, from broth to filled containers."""

from seedtrain.simulation._downstream._bench import bench_chromatography
from seedtrain.simulation._downstream._feed import read_stream
from seedtrain.simulation._downstream._operation import LARGEST as LARGEST_MACHINES
from seedtrain.simulation._downstream._operation import TrainParameter
from seedtrain.simulation._downstream._quality import product_quality
from seedtrain.simulation._downstream._result import COURSE_UNITS
from seedtrain.simulation._downstream._train import run_train, train_parameters

__all__ = [
    "COURSE_UNITS",
    "LARGEST_MACHINES",
    "TrainParameter",
    "bench_chromatography",
    "product_quality",
    "read_stream",
    "run_train",
    "train_parameters",
]
