"""The simulator beside its peers, measured in one run."""

from seedtrain.simulation._bench._rows import Row
from seedtrain.simulation._bench._simulation import PARTS, bench_simulation

__all__ = ["PARTS", "Row", "bench_simulation"]
