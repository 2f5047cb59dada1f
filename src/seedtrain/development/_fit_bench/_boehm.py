"""Boehm et al. 2014, J. Proteome Res. 13:5685-5694, doi:10.1021/pr5006923, as a PEtab problem of its equations.

STAT5A and STAT5B are phosphorylated under a decaying Epo signal, dimerise, go into the nucleus and come back. The
equations were written after the SBML file of the PEtab benchmark collection, and the measurements (boehm.tsv) are its
own: BSD-3-Clause, Copyright (c) 2020 Benchmarking-Initiative, cases/LICENSE.boehm,
https://github.com/Benchmarking-Initiative/Benchmark-Models-PEtab at 4d20850;
so are the bounds and the two parameters that are not estimated. Reference: negative log likelihood 138.22.
"""

from pathlib import Path
from typing import Final

import numpy as np

from seedtrain.simulation import EngineSchedule, EngineSystem, write_sbml

BEST: Final = 138.22197
CASES: Final = Path(__file__).parents[1] / "cases"
CYT, NUC = 1.4, 0.45
ESTIMATED = ("Epo_degradation_BaF3", "k_exp_hetero", "k_exp_homo", "k_imp_hetero", "k_imp_homo", "k_phos")
OBSERVED = {
    "pSTAT5A_rel": "(100*pApB + 200*pApA*specC17)/(pApB + STAT5A*specC17 + 2*pApA*specC17)",
    "pSTAT5B_rel": "-(100*pApB - 200*pBpB*(specC17 - 1))/((STAT5B*(specC17 - 1) - pApB) + 2*pBpB*(specC17 - 1))",
    "rSTAT5A_rel": "(100*pApB + 100*STAT5A*specC17 + 200*pApA*specC17)"
    "/(2*pApB + STAT5A*specC17 + 2*pApA*specC17 - STAT5B*(specC17 - 1) - 2*pBpB*(specC17 - 1))",
}
START = {"STAT5A": 207.6 * 0.693, "STAT5B": 207.6 - 207.6 * 0.693}


def system() -> EngineSystem:
    """Concentrations in cytosol and nucleus; time in minutes."""
    lines = (
        ("epo", "1.25e-7*exp(-Epo_degradation_BaF3*t)"),
        ("v0", "epo*STAT5A**2*k_phos"), ("v1", "epo*STAT5A*STAT5B*k_phos"), ("v2", "epo*STAT5B**2*k_phos"),
        ("v3", "k_imp_homo*pApA"), ("v4", "k_imp_hetero*pApB"), ("v5", "k_imp_homo*pBpB"),
        ("v6", "k_exp_homo*nucpApA"), ("v7", "k_exp_hetero*nucpApB"), ("v8", "k_exp_homo*nucpBpB"),
    )  # fmt: skip
    back, into = f"{NUC / CYT!r}", f"{CYT / NUC!r}"
    return EngineSystem(
        name="Boehm_JProteomeRes2014",
        states=("STAT5A", "STAT5B", "pApB", "pApA", "pBpB", "nucpApA", "nucpApB", "nucpBpB"),
        numbers=(*ESTIMATED, "specC17"),
        held=(),
        lines=lines,
        rates=(
            f"-2*v0 - v1 + {back}*(2*v6 + v7)", f"-2*v2 - v1 + {back}*(2*v8 + v7)",
            "v1 - v4", "v0 - v3", "v2 - v5", f"{into}*v3 - v6", f"{into}*v4 - v7", f"{into}*v5 - v8",
        ),
    )  # fmt: skip


def write(folder: Path) -> Path:
    """The problem's files; the path of its YAML."""
    made = system()
    schedule = EngineSchedule(
        initial=np.array([[START.get(name, 0.0) for name in made.states]]),
        numbers=np.array([[[1.0] * len(ESTIMATED) + [0.107]]]),
        jumps=np.zeros((1, 1, 8)),
        lengths=np.array([[240.0]]),
        actions=np.zeros((1, 1, 0), dtype=np.int8),
    )
    write_sbml(made, folder / "model.xml", schedule=schedule)
    rows = [line.split("\t") for line in (CASES / "boehm.tsv").read_text().splitlines()[1:]]
    measured = [f"{name}\tmodel1_data1\t{value}\t{time}\tsd_{name}" for name, value, time in rows]
    names = [*ESTIMATED, *(f"sd_{name}" for name in OBSERVED)]
    tables = {
        "parameters": ["parameterId\tparameterScale\tlowerBound\tupperBound\tnominalValue\testimate",
                       *(f"{name}\tlog10\t1E-05\t100000\t1\t1" for name in names)],
        "conditions": ["conditionId", "model1_data1"],
        "observables": ["observableId\tobservableFormula\tnoiseFormula",
                        *(f"{name}\t{text}\tnoiseParameter1_{name}" for name, text in OBSERVED.items())],
        "measurements": ["observableId\tsimulationConditionId\tmeasurement\ttime\tnoiseParameters", *measured],
    }  # fmt: skip
    for name, lines in tables.items():
        (folder / f"{name}.tsv").write_text("\n".join(lines) + "\n")
    path = folder / "boehm.yaml"
    path.write_text(
        "format_version: 1\nparameter_file: parameters.tsv\nproblems:\n- sbml_files: [model.xml]\n"
        "  condition_files: [conditions.tsv]\n  observable_files: [observables.tsv]\n"
        "  measurement_files: [measurements.tsv]\n"
    )
    return path
