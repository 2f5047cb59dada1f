"""The downstream train: unit operations with sourced models, from broth to filled containers."""

from seedtrain.simulation._downstream._operation import TrainParameter
from seedtrain.simulation._downstream._quality import product_quality
from seedtrain.simulation._downstream._train import run_train, train_parameters

__all__ = ["TrainParameter", "product_quality", "run_train", "train_parameters"]
