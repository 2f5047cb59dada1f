"""Whether chains of draws agree, and how many independent draws they are worth."""

from __future__ import annotations

import numpy as np

from seedtrain.development._estimation._inputs import Floats


def split_rhat(draws: Floats) -> float:
    """Potential scale reduction of split chains, rank-normalised, of draws and of their distance from the median.

    - `draws`: shape "chain, draw". **Source** Vehtari et al. 2021 (doi:10.1214/20-BA1221). Not-a-number where all draws
      are the same.
    """
    folded = np.abs(draws - np.median(draws))
    return max(_rhat(_ranked(_split(draws))), _rhat(_ranked(_split(folded))))


def effective(draws: Floats) -> tuple[float, float]:
    """Effective draws of the bulk, and of the worse of the 5 and 95 % quantiles; the same source."""
    tails = [_ess(_split((draws <= np.quantile(draws, at)).astype(float))) for at in (0.05, 0.95)]
    return _ess(_ranked(_split(draws))), min(tails)


def _split(draws: Floats) -> Floats:
    half = draws.shape[1] // 2
    return np.concatenate([draws[:, :half], draws[:, -half:]])


def _ranked(draws: Floats) -> Floats:
    from scipy import stats

    ranks = stats.rankdata(draws).reshape(draws.shape)
    return np.asarray(stats.norm.ppf((ranks - 0.375) / (draws.size + 0.25)))


def _rhat(draws: Floats) -> float:
    count = draws.shape[1]
    within = float(draws.var(axis=1, ddof=1).mean())
    between = float(draws.mean(axis=1).var(ddof=1))
    return float(np.sqrt((count - 1) / count + between / within)) if within > 0 else float("nan")


def _ess(draws: Floats) -> float:
    """Effective number by Geyer's initial monotone sequence over all chains."""
    chains, count = draws.shape
    centred = draws - draws.mean(axis=1, keepdims=True)
    spectrum = np.fft.rfft(centred, 2 * count, axis=1)
    covariance = np.fft.irfft(spectrum * spectrum.conj(), axis=1)[:, :count] / count
    within = float(covariance[:, 0].mean()) * count / (count - 1)
    total = within * (count - 1) / count + float(draws.mean(axis=1).var(ddof=1))
    if not total > 0:
        return 0.0
    rho = 1 - (within - covariance.mean(axis=0)) / total
    rho[0] = 1.0
    pairs = rho[0 : count - 1 : 2] + rho[1:count:2]
    negative = np.flatnonzero(pairs < 0)
    kept = np.minimum.accumulate(pairs[: negative[0]] if len(negative) else pairs)
    tau = max(2 * float(kept.sum()) - 1, 1 / np.log10(chains * count))
    return float(chains * count / tau)
