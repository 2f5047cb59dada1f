"""A decay with unknown scatter, twelve readings: small enough to be fitted a thousand times."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np

from seedtrain.development._estimation import Problem, read_petab
from seedtrain.simulation import EngineSchedule, EngineSystem, write_sbml

SIGMA: Final = 0.5
COUNT: Final = 12
PARAMETERS: Final = (
    "parameterId\tparameterScale\tlowerBound\tupperBound\tnominalValue\testimate\n"
    "k\tlog10\t0.001\t100\t1\t1\nA_0\tlog10\t0.1\t1000\t10\t1\nsigma\tlog10\t1e-6\t10\t1\t1\n"
)


def decay_problem(folder: Path, truth: Mapping[str, float], seed: int) -> Problem:
    """The problem of data that `truth` (k, A_0) makes with the scatter of a seed; its files are written to `folder`."""
    system = EngineSystem("decay", ("A",), ("k",), (), (), ("-k*A",))
    schedule = EngineSchedule(
        initial=np.array([[1.0]]), numbers=np.ones((1, 1, 1)), jumps=np.zeros((1, 1, 1)), lengths=np.array([[1.0]]),
        actions=np.zeros((1, 1, 0), dtype=np.int8),
    )  # fmt: skip
    write_sbml(system, folder / "model.xml", schedule=schedule)
    times = np.linspace(0.0, 10.0, COUNT)
    values = truth["A_0"] * np.exp(-truth["k"] * times)
    values = values + SIGMA * np.random.default_rng(seed).normal(size=COUNT)
    rows = [f"y\tone\t{value!r}\t{time!r}" for time, value in zip(times.tolist(), values.tolist(), strict=True)]
    files = {
        "parameters.tsv": PARAMETERS,
        "conditions.tsv": "conditionId\tA\none\tA_0\n",
        "observables.tsv": "observableId\tobservableFormula\tnoiseFormula\ny\tA\tsigma\n",
        "measurements.tsv": "observableId\tsimulationConditionId\tmeasurement\ttime\n" + "\n".join(rows) + "\n",
        "decay.yaml": "format_version: 1\nparameter_file: parameters.tsv\nproblems:\n- sbml_files: [model.xml]\n"
        "  condition_files: [conditions.tsv]\n  observable_files: [observables.tsv]\n"
        "  measurement_files: [measurements.tsv]\n",
    }
    for name, text in files.items():
        (folder / name).write_text(text)
    return read_petab(folder / "decay.yaml")
