"""BoFire behind standard input and output: started in an interpreter that has it, where Seedtrain need not be.

A line of JSON asks, a line answers; the first line answers with the version. Points are places from 0 to 1 of the
continuous factors, then numbers of levels.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")


def domain(ask: dict[str, Any]) -> Any:
    """The factors, responses and linear limits as BoFire's domain."""
    from bofire.data_models.constraints.api import LinearInequalityConstraint
    from bofire.data_models.domain.api import Constraints, Domain, Inputs, Outputs
    from bofire.data_models.features.api import CategoricalInput, ContinuousInput, ContinuousOutput
    from bofire.data_models.objectives.api import MaximizeObjective, MinimizeObjective

    inputs = [
        CategoricalInput(key=item["name"], categories=item["levels"])
        if item["levels"]
        else ContinuousInput(key=item["name"], bounds=(0.0, 1.0))
        for item in ask["factors"]
    ]
    outputs = []
    for item in ask["responses"]:
        if item["goal"] == "none":
            outputs.append(ContinuousOutput(key=item["name"], objective=limit(item, ask["y"][item["name"]])))
        else:
            objective = MaximizeObjective() if item["goal"] == "maximise" else MinimizeObjective()
            outputs.append(ContinuousOutput(key=item["name"], objective=objective))
    names = [item["name"] for item in ask["factors"] if not item["levels"]]
    limits = [
        LinearInequalityConstraint(features=names, coefficients=row, rhs=bound)
        for row, bound in zip(ask["rows"], ask["bounds"], strict=True)
    ]
    return Domain(
        inputs=Inputs(features=inputs), outputs=Outputs(features=outputs), constraints=Constraints(constraints=limits)
    )


def limit(item: dict[str, Any], readings: list[float]) -> Any:
    """A limit of a response as BoFire has them: a steep sigmoid, which its strategies take as a constraint."""
    import numpy as np
    from bofire.data_models.objectives.api import MaximizeSigmoidObjective, MinimizeSigmoidObjective

    steepness = 20.0 / max(float(np.std(readings)), 1e-6)
    if item["low"] is not None:
        return MaximizeSigmoidObjective(tp=item["low"], steepness=steepness)
    return MinimizeSigmoidObjective(tp=item["high"], steepness=steepness)


def suggested(ask: dict[str, Any]) -> list[list[float]]:
    """The next points by BoFire's own defaults."""
    import bofire.strategies.api as strategies
    import pandas as pd
    from bofire.data_models.strategies.api import MoboStrategy, SoboStrategy

    asked = domain(ask)
    goals = [item for item in ask["responses"] if item["goal"] != "none"]
    kind = SoboStrategy if len(goals) == 1 else MoboStrategy
    strategy = strategies.map(kind(domain=asked, seed=ask["seed"]))
    factors = ask["factors"]
    table = frame(factors, ask["x"])
    for name, values in ask["y"].items():
        table[name], table[f"valid_{name}"] = values, 1
    strategy.tell(pd.DataFrame(table))
    if ask["pending"]:
        strategy.set_candidates(frame(factors, ask["pending"]))
    found = strategy.ask(ask["count"])
    rows = []
    for _at, row in found.iterrows():
        cells = [(item, row[item["name"]]) for item in factors]
        rows.append([float(item["levels"].index(v)) if item["levels"] else float(v) for item, v in cells])
    return rows


def frame(factors: list[dict[str, Any]], points: list[list[float]]) -> Any:
    """Points as a table of factors."""
    import pandas as pd

    columns = {}
    for at, item in enumerate(factors):
        values = [point[at] for point in points]
        columns[item["name"]] = [item["levels"][round(value)] for value in values] if item["levels"] else values
    return pd.DataFrame(columns)


def main() -> None:
    """Answer until the input ends; what libraries print does not reach the answers."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    try:
        import warnings

        warnings.simplefilter("ignore")
        import bofire
        import torch

        torch.set_num_threads(1)
        print(json.dumps({"version": getattr(bofire, "__version__", "unknown")}), file=out, flush=True)
    except ImportError as error:
        print(json.dumps({"error": str(error)}), file=out, flush=True)
        return
    for line in sys.stdin:
        started = time.process_time()
        try:
            answer: dict[str, Any] = {"points": suggested(json.loads(line))}
        except Exception as error:  # noqa: BLE001 - a worker's every fault is told to the one that asked
            answer = {"error": f"{type(error).__name__}: {error}"}
        answer["cpu_s"] = time.process_time() - started
        print(json.dumps(answer), file=out, flush=True)


if __name__ == "__main__":
    main()
