"""The problem on which integrators are compared: a seven-state fed-batch of Escherichia coli with 26 numbers.

Overflow metabolism in the manner of Xu, Jahic & Enfors 1999 (Biotechnol Prog 15:81) and Anane et al. 2017 (Biochem Eng
J 125:171), product formation of Luedeking & Piret 1959, 24 h of exponential feed. The numbers are round ones, chosen to
make a stiff problem (oxygen transfer at 900 1/h beside growth at 0.1 1/h) and to predict nothing. One text gives every
peer its model, so that all of them integrate the same arithmetic.
"""

from __future__ import annotations

import re
from importlib import import_module
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

NUMBERS: Final[dict[str, float]] = {
    "qSmax": 1.25,  # g/g/h
    "Ks": 0.05,  # g/L
    "pAmax": 0.17,  # g/g/h
    "Kap": 0.55,  # g/g/h
    "qAmax": 0.12,  # g/g/h
    "Ksa": 0.05,  # g/L
    "Kis": 0.05,  # g/g/h
    "Kia": 5.0,  # g/L
    "Ko": 4.0,  # % of saturation
    "qm": 0.02,  # g/g/h
    "Yem": 0.50,  # g/g
    "Yaof": 0.80,  # g/g
    "Yaem": 0.45,  # g/g
    "Yos": 1.05,  # g/g
    "Yoa": 1.04,  # g/g
    "Cs": 0.391,  # g/g
    "Cx": 0.488,  # g/g
    "kLa": 900.0,  # 1/h
    "H": 12000.0,  # % L/g
    "Kp": 60.0,  # 1/h, the probe
    "muset": 0.11,  # 1/h
    "F0": 0.0045,  # L/h
    "Sin": 500.0,  # g/L
    "aP": 0.03,  # g/g
    "bP": 0.002,  # g/g/h
    "Ostar": 99.0,  # % of saturation
}
FIXED: Final = ("Cs", "Cx", "H", "Ostar")
VARIED: Final = tuple(name for name in NUMBERS if name not in FIXED)
SPREAD: Final = 0.20

START: Final[dict[str, float]] = {  # g/L, g/L, g/L, g/L, %, %, L
    "X": 4.0,
    "S": 0.5,
    "A": 0.05,
    "Pr": 0.0,
    "O": 95.0,
    "Om": 95.0,
    "V": 2.0,
}
LINES: Final = (
    ("F", "F0 * exp(muset * t)"),
    ("D", "F / V"),
    ("qS", "qSmax * S / (S + Ks) / (1 + A / Kia)"),
    ("qSof", "pAmax * qS / (qS + Kap)"),
    ("ox", "O / (O + Ko)"),
    ("qSox", "(qS - qSof) * ox"),
    ("qSan", "(qSox - qm) * Yem * Cx / Cs"),
    ("qsA", "qAmax * A / (A + Ksa) / (1 + qS / Kis) * ox"),
    ("mu", "(qSox - qm) * Yem + qsA * Yaem"),
    ("qO", "Yos * (qSox - qSan) + qsA * Yoa"),
)
RATES: Final = (
    "(mu - D) * X",
    "D * (Sin - S) - qS * X",
    "(qSof * Yaof - qsA) * X - D * A",
    "(aP * mu + bP) * X - D * Pr",
    "kLa * (Ostar - O) - qO * X * H",
    "Kp * (O - Om)",
    "F",
)
END_H: Final = 24.0
OUTPUTS: Final = 100
RTOL: Final = 1e-6
ATOL: Final = 1e-8
SEED: Final = 7


def start() -> Floats:
    """The state at time 0, shape (7,)."""
    return np.array(list(START.values()))


def times(outputs: int = OUTPUTS) -> Floats:
    """Output times, h."""
    return np.linspace(0.0, END_H, outputs)


def draws(count: int, first: int = 0) -> Floats:
    """Numbers of trajectories `first` to `first + count`, shape (count, 26): 22 of them even within +/- 20 %."""
    values = np.tile(np.array(list(NUMBERS.values())), (count, 1))
    stream = np.random.PCG64(SEED)
    stream.advance(first * len(VARIED))
    unit = np.random.Generator(stream).random((count, len(VARIED)))
    values[:, varied()] *= 1 - SPREAD + 2 * SPREAD * unit
    return values


def varied() -> list[int]:
    """Where the varied numbers stand."""
    names = list(NUMBERS)
    return [names.index(name) for name in VARIED]


def errors(states: Floats, exact: Floats) -> Floats:
    """The largest deviation of each trajectory, over times and states: |y - exact| / (|exact| + 1e-3 max |exact|)."""
    scale = np.abs(exact) + 1e-3 * np.abs(exact).max(axis=1, keepdims=True) + 1e-12
    return np.asarray((np.abs(states - exact) / scale).max(axis=(1, 2)))


def sensitivity_errors(by: Floats, exact: Floats, states: Floats, numbers: Floats) -> Floats:
    """The same for derivatives, shape (trajectory, time, state, direction), scaled by number and largest state."""
    at = numbers[:, None, None, varied()]
    scale = np.abs(exact * at) + 1e-3 * np.abs(states).max(axis=1)[:, None, :, None] + 1e-12
    return np.asarray((np.abs(by - exact) * at / scale).max(axis=(1, 2, 3)))


def rhs_source(head: str = "def rhs(t, y, p, d):") -> str:
    """The right-hand side as Python text that writes the derivative into `d`, for those that compile it."""
    lines = [head, f"    {', '.join(NUMBERS)} = {', '.join(f'p[{at}]' for at in range(len(NUMBERS)))}"]
    lines += [f"    {name} = y[{at}]" for at, name in enumerate(START)]
    lines += [f"    {name} = {text}" for name, text in LINES]
    lines += [f"    d[{at}] = {text}" for at, text in enumerate(RATES)]
    return "\n".join(lines) + "\n"


def rhs(scope: dict[str, Any]) -> Any:
    """The right-hand side `rhs(t, y, p, d)` with `exp` from `scope`."""
    space = dict(scope)
    exec(rhs_source(), space)  # noqa: S102 - our own text above
    return space["rhs"]


def symbolic(values: dict[str, Any]) -> list[Any]:
    """The rates as objects of any algebra: `values` has t, exp, the states and the numbers."""
    space = dict(values)
    for name, text in LINES:
        space[name] = eval(text, space)  # noqa: S307 - our own text above
    return [eval(text, space) for text in RATES]  # noqa: S307


def sbml() -> str:
    """The model as SBML Level 3 with rate and assignment rules; needs libsbml."""
    libsbml = import_module("libsbml")
    document = libsbml.SBMLDocument(3, 1)
    model = document.createModel()
    model.setId("fedbatch")

    def parameter(name: str, value: float | None, constant: bool) -> None:
        made = model.createParameter()
        made.setId(name)
        made.setConstant(constant)
        if value is not None:
            made.setValue(value)

    def formula(text: str) -> Any:
        return libsbml.parseL3Formula(re.sub(r"\bt\b", "time", text))

    for name, value in NUMBERS.items():
        parameter(name, value, True)
    for name, value in START.items():
        parameter(name, value, False)
    for name, text in LINES:
        parameter(name, None, False)
        rule = model.createAssignmentRule()
        rule.setVariable(name)
        rule.setMath(formula(text))
    for name, text in zip(START, RATES, strict=True):
        rate = model.createRateRule()
        rate.setVariable(name)
        rate.setMath(formula(text))
    return str(libsbml.writeSBMLToString(document))
