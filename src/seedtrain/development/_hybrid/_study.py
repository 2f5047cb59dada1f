"""Is a learned rate better than the culture's own form? Both are trained without a run and asked to predict it.

How free the learned function may be (the standard deviation of its weights) is chosen inside each training set, again
by leaving one run out, so that the run that judges has no say in it.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np

from seedtrain.base import InputError, Progress, silent
from seedtrain.base import translate as _
from seedtrain.development._estimation import Fit, MeasuredRun, Problem, culture_problem
from seedtrain.development._hybrid._folds import Folds, error_of
from seedtrain.development._hybrid._form import HybridRate, check_forms, gated
from seedtrain.development._hybrid._learned import Learned, learned
from seedtrain.development._hybrid._visited import Floats, visited
from seedtrain.development._hybrid._write import hybrid_culture, hybrid_text, remaining
from seedtrain.simulation import Culture

STRENGTHS: Final = (0.1, 0.6, 3.0)
"""Standard deviations of the weights that are tried."""
FEWEST: Final = 4
"""Runs below which nothing is concluded: three left out tell no spread."""
LEVEL: Final = 0.9
WORTH: Final = 1.1
"""A learned rate whose errors are not even this factor smaller is no better: the simpler form needs no proof."""
Judgement = Literal["better", "no better", "inconclusive"]


@dataclass(frozen=True)
class HeldOut:
    """Root mean square errors in one observable over runs that training did not see, in `unit` (relative where so)."""

    name: str
    unit: str
    own: float
    hybrid: float


@dataclass(frozen=True, eq=False)
class HybridStudy:
    """The comparison, and the culture that came of it.

    - `errors`: by observable; `runs`: by run the error of the culture's own form over the hybrid's (above 1: hybrid
      better). - `gain`: mean and ends of that factor at 90 %; None where there are too few runs.
    - `text`: of the culture file; `values`: what was fitted in it; `strength`: of its weights. - `curves`: by rate, for
      each input its values, the learned rate and the culture's own form, others at their medians.
    - `told`: readings with both predictions, for plots: observable, measured, own, hybrid.
    """

    forms: tuple[HybridRate, ...]
    errors: tuple[HeldOut, ...]
    runs: Mapping[str, float]
    gain: tuple[float, float, float] | None
    judgement: Judgement
    strength: float
    text: str
    values: Mapping[str, float]
    trained: Mapping[str, Mapping[str, tuple[float, float, str]]]
    curves: Mapping[str, Mapping[str, tuple[Floats, Floats, Floats]]]
    told: Mapping[str, tuple[Floats, Floats, Floats]]
    simulated: bool
    warnings: tuple[str, ...]

    def to_data(self) -> dict[str, Any]:
        """JSON-ready, without text and plots."""
        gain = None if self.gain is None else dict(zip(("factor", "low", "high"), self.gain, strict=True))
        return {
            "forms": [item.written for item in self.forms],
            "judgement": self.judgement,
            "verdict": {"better": "pass", "no better": "fail", "inconclusive": "inconclusive"}[self.judgement],
            "simulated": self.simulated,
            "held_out_errors": [dataclasses.asdict(item) for item in self.errors],
            "error_factor_by_run": dict(self.runs),
            "error_factor": gain,
            "strength": self.strength,
            "values": dict(self.values),
            "trained": {rate: {name: list(ends) for name, ends in item.items()} for rate, item in self.trained.items()},
            "warnings": list(self.warnings),
        }


def hybrid_study(
    text: str,
    culture: Culture,
    runs: Sequence[MeasuredRun],
    found: Fit,
    fit: Sequence[str],
    forms: Sequence[HybridRate],
    *,
    seed: int = 0,
    keep: Path | None = None,
    progress: Progress = silent,
    **options: Any,
) -> HybridStudy:
    """The study of `forms` in the culture file `text`, beside the fit `found` of its own form to the same `runs`.

    - `fit`: parameters of the culture that were fitted; those that the hybrid still reads are fitted with it.
    - `options`: observables, errors, bounds and priors, as of `culture_problem`. - `keep`: a file of what was trained,
      from which the same study goes on.

    Raises `InputError` for fewer than two runs and for what is no rate or no state.
    """
    check_hybrid(culture, forms, len(runs))
    own = {name: value for name, value in found.values.items() if name in culture.parameters}
    seen = visited(culture, runs, own)
    parts = _parts(culture, forms, seen)
    blank = hybrid_culture(hybrid_text(text, culture, parts))
    kept = remaining(blank, fit)
    problems = {s: _problem(blank, runs, (*kept, *_weights(parts)), parts, s, options) for s in STRENGTHS}
    start = own | {name: value for name, value in found.values.items() if name.startswith("sigma_")}
    nets = any(part.form.kind == "net" for part in parts)
    folds = Folds(found.problem, problems, _starts(parts, start, seed, nets), start, keep)
    order = _order(len(runs))
    folds.train(order, progress)
    outer = _choose(folds, len(runs))
    strength = _best(folds, [(s, [(frozenset({at}), at) for at in range(len(runs))]) for s in STRENGTHS])
    whole = folds.hybrid(strength, frozenset())
    values = dict(zip(problems[strength].names, problems[strength].values(np.array(whole.x)).tolist(), strict=True))
    return _told(_Case(text, culture, runs, tuple(forms), parts, found, folds, outer, strength, values, seen))


def check_hybrid(culture: Culture, forms: Sequence[HybridRate], runs: int) -> None:
    """Raises `InputError` where `hybrid_study` would, before anything is fitted."""
    check_forms(culture, forms)
    if forms and runs < 2:
        raise InputError("one run: none could be held out", remedy="Give two runs or more, four for a verdict.")


def _weights(parts: Sequence[Learned]) -> tuple[str, ...]:
    return tuple(name for part in parts for name in part.weights)


def _parts(culture: Culture, forms: Sequence[HybridRate], seen: Mapping[str, Floats]) -> tuple[Learned, ...]:
    found = []
    for form in forms:
        rates = seen[form.rate]
        if not rates.max() > 0 or rates.min() < -1e-9 * rates.max():
            words = f"{form.rate} goes from {rates.min():.3g} to {rates.max():.3g} {culture.units.get(form.rate, '')}"
            raise InputError(f"{words} in these runs", remedy="Learn a rate that is positive and never negative.")
        gates = {name: culture.units[name] for name in gated(culture, form.rate)}
        found.append(learned(form, culture.units.get(form.rate, ""), gates, seen, culture.units))
    return tuple(found)


def _problem(
    hybrid: Culture, runs: Sequence[MeasuredRun], fit: Sequence[str], parts: Sequence[Learned], strength: float,
    options: Mapping[str, Any],
) -> Problem:  # fmt: skip
    priors = {name: item for name, item in (options.get("priors") or {}).items() if name in fit}
    for part in parts:
        priors |= part.priors(strength)
    bounds = {name: item for name, item in (options.get("bounds") or {}).items() if name in fit}
    return culture_problem(hybrid, runs, fit, observables=options.get("observables", ()),
                           errors=options.get("errors"), bounds=bounds, priors=priors)  # fmt: skip


def _starts(parts: Sequence[Learned], own: Mapping[str, float], seed: int, nets: bool) -> list[dict[str, float]]:
    found = []
    for number in range(2 if nets else 1):
        dice = np.random.default_rng([seed, number]) if nets else None
        found.append(dict(own) | {name: value for part in parts for name, value in part.begin(dice).items()})
    return found


def _order(count: int) -> list[tuple[float | None, frozenset[int]]]:
    """What is trained: both without each run, the hybrid on all and, where runs allow, without each pair."""
    singles = [frozenset({at}) for at in range(count)]
    pairs = [frozenset(item) for item in itertools.combinations(range(count), 2)] if count >= FEWEST else []
    found: list[tuple[float | None, frozenset[int]]] = [(None, out) for out in singles]
    found += [(s, out) for out in (*singles, frozenset[int](), *pairs) for s in STRENGTHS]
    return found


def _choose(folds: Folds, count: int) -> dict[int, float]:
    """The strength for each held-out run, by what the other runs say; the middle one where they are too few."""
    if count < FEWEST:
        return dict.fromkeys(range(count), STRENGTHS[1])
    found = {}
    for out in range(count):
        inner = [at for at in range(count) if at != out]
        found[out] = _best(folds, [(s, [(frozenset({out, at}), at) for at in inner]) for s in STRENGTHS])
    return found


def _best(folds: Folds, choices: Sequence[tuple[float, Sequence[tuple[frozenset[int], int]]]]) -> float:
    scores = {}
    for strength, pairs in choices:
        parts = [error_of(folds.predicted(strength, out, run), folds.scales) for out, run in pairs]
        scores[strength] = float(np.mean(parts)) if np.isfinite(parts).all() else math.inf
    return min(scores, key=lambda item: scores[item])


@dataclass(frozen=True)
class _Case:
    text: str
    culture: Culture
    runs: Sequence[MeasuredRun]
    forms: tuple[HybridRate, ...]
    parts: tuple[Learned, ...]
    found: Fit
    folds: Folds
    outer: Mapping[int, float]
    strength: float
    values: Mapping[str, float]
    seen: Mapping[str, Floats]


def _told(case: _Case) -> HybridStudy:
    folds, count = case.folds, len(case.runs)
    own = [folds.predicted(None, frozenset({at}), at) for at in range(count)]
    hybrid = [folds.predicted(case.outer[at], frozenset({at}), at) for at in range(count)]
    pairs = [(error_of(a, folds.scales), error_of(b, folds.scales)) for a, b in zip(own, hybrid, strict=True)]
    ratios = [math.sqrt(a / max(b, 1e-300)) if math.isfinite(b) else 0.0 for a, b in pairs]
    gain, judgement = _judge(ratios)
    errors = []
    for name, (unit, _scale) in folds.units.items():
        squares = [np.concatenate([item[name] for item in side if name in item]) for side in (own, hybrid)]
        errors.append(HeldOut(name, unit, *(float(np.sqrt(np.mean(item**2))) for item in squares)))
    final = hybrid_culture(hybrid_text(case.text, case.culture, case.parts, values=case.values))
    after = visited(final, case.runs, case.values)
    trained = {part.form.rate: {axis.symbol: _ends(axis.symbol, axis.unit, case.seen, after) for axis in part.axes}
               for part in case.parts}  # fmt: skip
    simulated = case.found.problem.simulated
    words = {"better": "better than", "no better": "no better than", "inconclusive": "not told apart from"}[judgement]
    source = f"fitted to {count} runs with a learned rate, {words} the form of {case.culture.name} on held-out runs"
    text = hybrid_text(case.text, case.culture, case.parts, values=case.values, trained=trained,
                       source=source + (", simulated" if simulated else ""))  # fmt: skip
    hybrid_culture(text)  # what is written can be read
    return HybridStudy(
        case.forms, tuple(errors), {item.name: value for item, value in zip(case.runs, ratios, strict=True)}, gain,
        judgement, case.strength, text, case.values, trained, _curves(case, final, after), folds.sides(own, hybrid),
        simulated, _warnings(count, case),
    )  # fmt: skip


def _ends(symbol: str, unit: str, *seen: Mapping[str, Floats]) -> tuple[float, float, str]:
    low, high = min(float(item[symbol].min()) for item in seen), max(float(item[symbol].max()) for item in seen)
    return float(f"{low:.4g}"), float(f"{high:.4g}"), unit


def _judge(ratios: Sequence[float]) -> tuple[tuple[float, float, float] | None, Judgement]:
    """Mean factor with its interval, by Student's t of the logarithms.

    Training sets overlap, so the variance counts more than once: by 1/n + 1/(n-1), after Nadeau & Bengio 2003 (Machine
    Learning 52:239-281), for one of n runs held out.
    """
    from scipy import stats

    n = len(ratios)
    if n < FEWEST or min(ratios) <= 0:
        return None, "inconclusive" if n < FEWEST else "no better"
    logs = np.log(ratios)
    half = float(stats.t.ppf(0.5 + LEVEL / 2, n - 1)) * float(logs.std(ddof=1)) * math.sqrt(1 / n + 1 / (n - 1))
    mean = float(logs.mean())
    gain = (math.exp(mean), math.exp(mean - half), math.exp(mean + half))
    if gain[1] > 1:
        return gain, "better"
    return gain, "no better" if gain[0] < WORTH else "inconclusive"


def _warnings(count: int, case: _Case) -> tuple[str, ...]:
    found = []
    if count < FEWEST:
        words = _("{count} runs: too few to say whether the learned rate predicts better; give {fewest} or more")
        found.append(words.format(count=count, fewest=FEWEST))
    if case.strength == STRENGTHS[-1] and count >= FEWEST:
        found.append(_("the freest function was chosen: the learned rate may still bend too little"))
    return tuple(found)


def _curves(case: _Case, final: Culture, after: Mapping[str, Floats]) -> dict[str, Any]:
    """Each learned rate and the own form along each input where the runs went, in the order of that input."""
    found: dict[str, Any] = {}
    for part in case.parts:
        rate = part.form.rate
        found[rate] = {}
        for axis in part.axes:
            order = np.argsort(after[axis.symbol])
            own = np.argsort(case.seen[axis.symbol])
            along = np.interp(after[axis.symbol][order], case.seen[axis.symbol][own], case.seen[rate][own])
            found[rate][axis.symbol] = (after[axis.symbol][order], after[rate][order], along)
    return found
