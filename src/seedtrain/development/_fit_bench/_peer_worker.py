"""pyPESTO with AMICI and fides on a PEtab problem: started by a Python that has them, not by Seedtrain's.

Arguments: the problem's YAML, a folder for AMICI's model, starts, seed. The last line printed is JSON: where the starts
ended, the CPU s that they took, those from the process's start to the first value with its derivatives (imports and the
compiler included), and versions.
"""

import json
import logging
import os
import sys
from importlib.metadata import version


def spent() -> float:
    """CPU s of this process and of those that it started and that ended, such as the compiler's."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def main() -> None:
    """Import, compile, estimate, tell."""
    import numpy as np
    import pypesto.optimize
    import pypesto.petab

    path, folder, starts, seed = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    importer = pypesto.petab.PetabImporter.from_yaml(path, output_folder=folder, model_name="seedtrain_bench")
    problem = importer.create_problem(verbose=False)
    logging.disable(logging.CRITICAL)  # what is printed is not what is measured
    problem.objective((problem.lb + problem.ub) / 2, sensi_orders=(0, 1))
    made = spent()
    np.random.seed(seed)  # pyPESTO draws its starts from numpy's own
    fides = pypesto.optimize.FidesOptimizer(verbose=logging.CRITICAL)
    result = pypesto.optimize.minimize(problem, optimizer=fides, n_starts=starts, progress_bar=False)
    taken = spent() - made
    ends = [float(item) for item in result.optimize_result.fval]
    versions = ", ".join(f"{name} {version(name)}" for name in ("pypesto", "amici", "fides"))
    print(json.dumps({"ends": ends, "spent": taken, "made": made, "version": versions}))


if __name__ == "__main__":
    main()
