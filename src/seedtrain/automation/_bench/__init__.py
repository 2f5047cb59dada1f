"""Load on the plant half: many tags over OPC UA to the disk, and many plants on one core."""

from seedtrain.automation._bench._load import bench_plant

__all__ = ["bench_plant"]
