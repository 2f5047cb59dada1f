"""Estimation: problems, searches from many starts, what the data tell and what they cannot."""

from seedtrain.development._estimation._agreement import effective, split_rhat
from seedtrain.development._estimation._between import Between, BetweenRuns
from seedtrain.development._estimation._between_blocks import between_words, few_runs_words, verdict_words
from seedtrain.development._estimation._blocks import (
    advice_beside,
    advice_words,
    fit_blocks,
    interval_words,
    tied_words,
)
from seedtrain.development._estimation._culture_problem import (
    ErrorModel,
    MeasuredRun,
    culture_problem,
    known_observables,
)
from seedtrain.development._estimation._fit import Fit, fit_problem, problem_key
from seedtrain.development._estimation._further import Ahead, Differing, Known, RunSlopes, run_information
from seedtrain.development._estimation._intervals import Advice, Interval
from seedtrain.development._estimation._parameters import FitParameter, Prior
from seedtrain.development._estimation._petab import petab_problem, read_petab
from seedtrain.development._estimation._petab_tables import PetabTables, read_petab_tables
from seedtrain.development._estimation._posterior import (
    Marginal,
    Posterior,
    read_draws,
    sample_posterior,
)
from seedtrain.development._estimation._posterior_blocks import marginal_words, posterior_blocks
from seedtrain.development._estimation._problem import Evaluation, Experiment, Problem, Readings, weighted_slopes
from seedtrain.development._estimation._scatter import scatter_of, scatter_words
from seedtrain.development._estimation._search import descend
from seedtrain.development._estimation._tied import Tied
from seedtrain.development._estimation._write import culture_text, fitted_culture, write_petab

__all__ = [
    "Advice",
    "Ahead",
    "Between",
    "BetweenRuns",
    "Differing",
    "ErrorModel",
    "Evaluation",
    "Experiment",
    "Fit",
    "FitParameter",
    "Interval",
    "Known",
    "Marginal",
    "MeasuredRun",
    "PetabTables",
    "Posterior",
    "Prior",
    "Problem",
    "Readings",
    "RunSlopes",
    "Tied",
    "advice_beside",
    "advice_words",
    "between_words",
    "culture_problem",
    "culture_text",
    "descend",
    "effective",
    "few_runs_words",
    "fit_blocks",
    "fit_problem",
    "fitted_culture",
    "interval_words",
    "known_observables",
    "marginal_words",
    "petab_problem",
    "posterior_blocks",
    "problem_key",
    "read_draws",
    "read_petab",
    "read_petab_tables",
    "run_information",
    "sample_posterior",
    "scatter_of",
    "scatter_words",
    "split_rhat",
    "tied_words",
    "verdict_words",
    "weighted_slopes",
    "write_petab",
]
