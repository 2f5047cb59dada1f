"""Experiments: which runs to make next, classical or chosen by what is known so far, and what they told."""

from seedtrain.development._experiments._analysis import Analysis, Effect, analyse
from seedtrain.development._experiments._blocks import (
    analysis_blocks,
    analysis_figures,
    analysis_lines,
    design_facts,
    progress_figure,
)
from seedtrain.development._experiments._bofire import Bofire
from seedtrain.development._experiments._designs import Kind as DesignKind
from seedtrain.development._experiments._designs import design, model_matrix, optimal
from seedtrain.development._experiments._entry import Experiment, Response, read_experiment
from seedtrain.development._experiments._entry import Factor as ExperimentFactor
from seedtrain.development._experiments._sheet import SheetRow, appended_text, read_rows, rows_of, sheet_text
from seedtrain.development._experiments._suggest import Prior as ExperimentPrior
from seedtrain.development._experiments._suggest import Suggestion, first_runs, suggest
from seedtrain.development._experiments._surrogate import Space, Surrogate, fit_surrogate, sample_surrogates

__all__ = [
    "Analysis", "Bofire", "DesignKind", "Effect", "Experiment", "ExperimentFactor", "ExperimentPrior", "Response",
    "SheetRow", "Space", "Suggestion", "Surrogate", "analyse", "analysis_blocks", "analysis_figures",
    "analysis_lines", "appended_text", "design", "design_facts", "first_runs", "fit_surrogate", "model_matrix",
    "optimal", "progress_figure", "read_experiment", "read_rows", "rows_of", "sample_surrogates", "sheet_text",
    "suggest",
]  # fmt: skip
