"""Posterior sampling: chains on all cores, whether they agree, and intervals only where they do."""

from __future__ import annotations

import csv
import io
import json
import os
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event
from typing import Any, Final

import numpy as np

from seedtrain.base import InputError, Progress, digest, silent, write_json
from seedtrain.base import translate as _
from seedtrain.development._estimation._agreement import effective, split_rhat
from seedtrain.development._estimation._chain import Chain, Target
from seedtrain.development._estimation._drawn_runs import Linear, RunDraws
from seedtrain.development._estimation._fit import Fit, problem_key
from seedtrain.development._estimation._inputs import Floats
from seedtrain.development._estimation._problem import Problem, joined

CHAINS: Final = 4
FEWEST: Final = 400
WARM: Final = 200
MOST_RHAT: Final = 1.03
LEAST_ESS: Final = 100.0
"""Agreement of the chains below which there are no intervals (Vehtari et al. 2021 ask for 1.01 and 400 for a final
result; doi:10.1214/20-BA1221)."""
NEAR_BOUND, AT_BOUND = 0.02, 0.01
"""An end of an interval is the bound's and not the data's where more than this part of the draws lies this near."""
SAVED_EVERY: Final = 2.0
FORMAT: Final = "seedtrain posterior 1"


@dataclass(frozen=True)
class Marginal:
    """One parameter: median and interval (None on a side where a bound decides, or chains do not agree).

    - `rhat`: split, rank-normalised; `ess`: effective draws of the bulk, `tail` of the 5 and 95 % quantiles.
    """

    name: str
    median: float
    low: float | None
    high: float | None
    rhat: float
    ess: float
    tail: float


@dataclass(frozen=True, eq=False)
class Posterior:
    """Draws of the posterior.

    - `draws`: shape "chain, draw, parameter", in the parameters' units; `objective`: the negative log of likelihood
      times priors of each, shape "chain, draw". - `mixed`: whether the chains agree.
    - `more`: what was drawn beside the parameters, by name, shape "chain, draw": how far runs differ from one another,
      as standard deviations in the parameters' units.
    """

    problem: Problem
    level: float
    draws: Floats
    objective: Floats
    marginals: tuple[Marginal, ...]
    mixed: bool
    acceptance: float
    diverged: int
    evaluations: int
    warnings: tuple[str, ...]
    more: Mapping[str, Floats] = field(default_factory=dict)

    def to_data(self) -> dict[str, Any]:
        """JSON-ready, without the draws."""
        chains, count, _parameters = self.draws.shape
        return {
            "chains": chains, "draws": chains * count, "level": self.level, "mixed": self.mixed,
            "acceptance": self.acceptance, "diverged": self.diverged, "evaluations": self.evaluations,
            "parameters": {item.name: {
                "median": item.median, "low": item.low, "high": item.high, "split_rhat": _number(item.rhat),
                "effective": _number(item.ess), "effective_tails": _number(item.tail),
            } for item in self.marginals},
            "warnings": list(self.warnings),
        }  # fmt: skip

    def to_csv(self) -> str:
        """The draws as a table: chain, draw, negative log posterior, and every parameter in its unit."""
        stream = io.StringIO()
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["chain", "draw", "negative_log_posterior", *self.problem.names, *self.more])
        whole = np.concatenate([self.draws, *(each[..., None] for each in self.more.values())], axis=2)
        for chain, rows in enumerate(whole.tolist(), 1):
            heights = self.objective[chain - 1].tolist()
            writer.writerows([chain, at, heights[at - 1], *row] for at, row in enumerate(rows, 1))
        return stream.getvalue()


def sample_posterior(
    fit: Fit, count: int, *, seed: int = 0, keep: Path | None = None, progress: Progress = silent
) -> Posterior:
    """About `count` draws of the fit's posterior, in four chains by Hamiltonian Monte Carlo with exact sensitivities.

    - `keep`: a folder in which each chain is kept while it runs: the same sampling goes on where it was interrupted, to
      the same draws.

    Where the fit counts how runs differ, draws are of the linear model about every run's own values and of how far runs
    differ too; they cost no simulation.

    Raises `InputError` for fewer than 400 draws. Chains that do not agree give no intervals, and a warning.
    """
    if count < FEWEST:
        raise InputError(f"{count} draws tell no interval", remedy=f"Ask for {FEWEST} or more.")
    each = -(-count // CHAINS)
    if fit.linear is not None:
        return _of_runs(fit, fit.linear, each, seed, progress)
    target = Target(fit.problem)
    covariance = target.covariance(fit.best.x)
    chains = [Chain(target, max(WARM, each // 2), each, covariance) for _ in range(CHAINS)]
    key = digest([FORMAT, problem_key(fit.problem), seed, each, repr(fit.best.x.tolist())])
    joined(fit.problem)  # once, before threads ask for it
    _run(chains, fit, seed, key, keep, progress)
    return _summary(fit, target, chains)


def _run(chains: Sequence[Chain], fit: Fit, seed: int, key: str, keep: Path | None, progress: Progress) -> None:
    stop = Event()
    paths = [keep / f"chain-{number + 1}.json" if keep else None for number in range(len(chains))]

    def one(number: int) -> None:
        chain, path = chains[number], paths[number]
        if not _restored(chain, path, key):
            chain.begin(fit.best.x, seed, number)
        saved = time.monotonic()
        while not (chain.finished or stop.is_set()):
            chain.iterate()
            if path and (chain.finished or time.monotonic() - saved > SAVED_EVERY):
                write_json(path, {"key": key, "chain": chain.to_data()})
                saved = time.monotonic()

    with ThreadPoolExecutor(min(len(chains), len(os.sched_getaffinity(0)))) as pool:
        try:
            waiting = {pool.submit(one, number) for number in range(len(chains))}
            while waiting:
                ended, waiting = wait(waiting, timeout=0.5, return_when=FIRST_EXCEPTION)
                for item in ended:
                    item.result()
                done = sum(chain.done / (chain.warm + chain.count) for chain in chains) / len(chains)
                progress(done, _("posterior of {name}").format(name=fit.problem.name))
        finally:
            stop.set()


def _restored(chain: Chain, path: Path | None, key: str) -> bool:
    """Whether the chain goes on from its file; another sampling's, or a damaged one, counts as none."""
    if path is None or not path.exists():
        return False
    fresh = chain.to_data()
    try:
        data = json.loads(path.read_text("utf-8"))
        if data["key"] != key:
            return False
        chain.restore(data["chain"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        chain.restore(fresh)
        return False
    return True


def _summary(fit: Fit, target: Target, chains: Sequence[Chain]) -> Posterior:
    logits = np.array([chain.draws for chain in chains])
    scaled = np.array([[target.point(row) for row in rows] for rows in logits])
    share = (scaled - fit.problem.low) / target.width
    heights = np.array([chain.heights for chain in chains])
    # The density of the logits less what the change of coordinates adds: likelihood and priors alone.
    added = np.log(target.width * share * (1 - share)).sum(axis=2) + scaled @ target.rise
    acceptance = sum(chain.accepted for chain in chains) / logits.shape[0] / logits.shape[1]
    found = _told(fit, logits, scaled, added - heights, acceptance, {})
    diverged = sum(chain.diverged for chain in chains)
    failed = _("{count} trajectories failed: part of the posterior may be missed").format(count=diverged)
    evaluations = sum(chain.evaluations for chain in chains)
    warnings = (*found.warnings, *([failed] if diverged else []))
    return replace(found, diverged=diverged, evaluations=evaluations, warnings=warnings)


def _of_runs(fit: Fit, linear: Linear, each: int, seed: int, progress: Progress) -> Posterior:
    """The posterior of the typical run where runs differ, and of how far they do."""
    parts = []
    for number in range(CHAINS):
        parts.append(RunDraws(fit.problem, linear, seed, number).draws(each))
        progress((number + 1) / CHAINS, _("posterior of {name}").format(name=fit.problem.name))
    scaled = np.array([part.points for part in parts])
    more = {}
    for place, at in enumerate(linear.layout.differ):
        about = fit.problem.parameters[at]
        rises = np.vectorize(lambda x, item=about: item.slope(item.value(x)))(scaled[..., at])
        more[f"between:{about.name}"] = rises * np.sqrt(np.array([part.between[:, place] for part in parts]))
    heights = np.array([part.heights for part in parts])
    return _told(fit, scaled, scaled, heights, sum(part.accepted for part in parts) / CHAINS, more)


def _told(
    fit: Fit, compared: Floats, scaled: Floats, objective: Floats, acceptance: float, more: Mapping[str, Floats]
) -> Posterior:
    """The posterior of draws on the search's scale; chains agree where they do in what is `compared` and in `more`."""
    problem, level = fit.problem, fit.level
    draws = np.array([[problem.values(row) for row in rows] for rows in scaled])
    share = (scaled - problem.low) / (problem.high - problem.low)
    varied = {name: values for name, values in more.items() if np.ptp(values) > 0}
    columns = [*np.moveaxis(compared, 2, 0), *varied.values()]
    told = [(split_rhat(column), *effective(column)) for column in columns]
    mixed = all(r <= MOST_RHAT and min(bulk, tail) >= LEAST_ESS for r, bulk, tail in told)
    marginals = []
    for at, (name, (rhat, bulk, tail)) in enumerate(zip((*problem.names, *varied), told, strict=True)):
        own = at < len(problem.names)
        values = draws[..., at] if own else varied[name]
        low, middle, high = np.quantile(values, [0.5 - level / 2, 0.5, 0.5 + level / 2])
        below = own and float((share[..., at] < NEAR_BOUND).mean()) > AT_BOUND
        above = own and float((share[..., at] > 1 - NEAR_BOUND).mean()) > AT_BOUND
        ends = (None if below or not mixed else float(low), None if above or not mixed else float(high))
        marginals.append(Marginal(name, float(middle), *ends, rhat, bulk, tail))
    warnings = _warnings(marginals, mixed)
    return Posterior(problem, level, draws, objective, tuple(marginals), mixed, acceptance, 0, 0, warnings, more)


def _warnings(marginals: Sequence[Marginal], mixed: bool) -> tuple[str, ...]:
    found = []
    if not mixed:
        worst = max(marginals, key=lambda item: item.rhat if np.isfinite(item.rhat) else np.inf)
        words = _(
            "the chains do not agree ({parameter}: split R-hat {rhat}, {ess} effective draws): no intervals; ask for "
            "more draws, narrower bounds or a prior"
        )
        least = min(worst.ess, worst.tail)
        found.append(words.format(parameter=worst.name, rhat=f"{worst.rhat:.3f}", ess=f"{least:.0f}"))
    return tuple(found)


def _number(value: float) -> float | None:
    return value if np.isfinite(value) else None


def read_draws(path: Path) -> dict[str, Floats]:
    """The draws that `Posterior.to_csv` wrote, by parameter, chains one after the other; faults with their line."""
    from seedtrain.development._data_check import read_sheet

    sheet = read_sheet(path)
    names = [name for name in sheet.header if name not in ("chain", "draw", "negative_log_posterior")]
    if len(names) + 3 != len(sheet.header) or not names:
        sheet.column("negative_log_posterior")
    found: dict[str, list[float]] = {name: [] for name in names}
    for number, row in enumerate(sheet.rows):
        for name in names:
            text = row[sheet.column(name)]
            try:
                value = float(text)
                if not np.isfinite(value):
                    raise ValueError
            except ValueError:
                words = f"{name} is {text!r}"
                raise InputError(words, position=sheet.place(number), remedy="Sample again.") from None
            found[name].append(value)
    return {name: np.array(values) for name, values in found.items()}
