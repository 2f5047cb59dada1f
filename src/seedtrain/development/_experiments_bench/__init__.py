"""How good runs are that Seedtrain chooses, beside those of others: three problems, many seeds."""

from seedtrain.development._experiments_bench._bench import bench_experiments

__all__ = ["bench_experiments"]
