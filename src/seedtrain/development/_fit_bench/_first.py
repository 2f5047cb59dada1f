"""A PEtab problem read and evaluated once by a process that does nothing else: what a first value takes."""

import json
import sys
import time
from pathlib import Path

import numpy as np

from seedtrain.development._estimation import petab_problem, read_petab_tables


def main() -> None:
    """Print the CPU s of this process until the objective, its derivatives and a screen of points are there."""
    problem = petab_problem(read_petab_tables(Path(sys.argv[1])))
    problem.evaluate(problem.scaled({}))
    problem.objectives(np.stack([problem.scaled({})] * 16))
    print(json.dumps({"made": time.process_time()}))


if __name__ == "__main__":
    main()
