"""Small problems whose answers are known in closed form."""

from pathlib import Path

import numpy as np

from seedtrain.simulation import EngineSchedule, EngineSystem, write_sbml


def write(
    folder: Path, *, rate="-k*A", observable="A", noise="sigma", parameters=(), rows=(), transform="lin", start="A_0"
) -> Path:
    """One state `A`; `parameters` are (name, scale, low, high, nominal, estimate); `rows` (time, value)."""
    numbers = tuple(name for name, *_ in parameters if name in rate)
    system = EngineSystem("small", ("A",), numbers or ("unused",), (), (), (rate,))
    schedule = EngineSchedule(
        initial=np.array([[1.0]]),
        numbers=np.ones((1, 1, len(system.numbers))),
        jumps=np.zeros((1, 1, 1)),
        lengths=np.array([[1.0]]),
        actions=np.zeros((1, 1, 0), dtype=np.int8),
    )
    folder.mkdir(parents=True, exist_ok=True)
    write_sbml(system, folder / "model.xml", schedule=schedule)
    tables = {
        "parameters": ["parameterId\tparameterScale\tlowerBound\tupperBound\tnominalValue\testimate",
                       *("\t".join(map(str, row)) for row in parameters)],
        "conditions": ["conditionId\tA", f"one\t{start}"],
        "observables": ["observableId\tobservableFormula\tnoiseFormula\tobservableTransformation",
                        f"y\t{observable}\t{noise}\t{transform}"],
        "measurements": ["observableId\tsimulationConditionId\tmeasurement\ttime",
                         *(f"y\tone\t{value!r}\t{time!r}" for time, value in rows)],
    }  # fmt: skip
    for name, lines in tables.items():
        (folder / f"{name}.tsv").write_text("\n".join(lines) + "\n")
    path = folder / "small.yaml"
    path.write_text(
        "format_version: 1\nparameter_file: parameters.tsv\nproblems:\n- sbml_files: [model.xml]\n"
        "  condition_files: [conditions.tsv]\n  observable_files: [observables.tsv]\n"
        "  measurement_files: [measurements.tsv]\n"
    )
    return path


DECAY = (("k", "log10", 0.001, 100, 1, 1), ("A_0", "log10", 0.1, 1000, 10, 1), ("sigma", "log10", 1e-6, 10, 1, 1))


def decay_rows(k=0.3, A_0=20.0, sigma=0.5, count=15, seed=1):
    times = np.linspace(0.0, 10.0, count)
    scatter = np.random.default_rng(seed).normal(size=count) * sigma
    return [(float(t), float(A_0 * np.exp(-k * t) + e)) for t, e in zip(times, scatter, strict=True)]
