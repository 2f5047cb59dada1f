"""Cross-scale, multimodal validation: scale against scale, and prediction against measurement."""

from seedtrain.comparison._blocks import comparison_blocks, comparison_figures, comparison_lines, simulated_mark
from seedtrain.comparison._compare import Compared, compare_runs, drafted
from seedtrain.comparison._equivalence import Equivalence, Group, Margin, MarginKind, equivalence
from seedtrain.comparison._judge_series import Number
from seedtrain.comparison._judge_spectra import Calibration
from seedtrain.comparison._judged import Judged
from seedtrain.comparison._latent import Components, Orthogonal, Regression, Scaling, components, opls, pls
from seedtrain.comparison._members import Member, members_of
from seedtrain.comparison._multivariate import Multivariate, multivariate
from seedtrain.comparison._plan import PlanEntry, draft_plan
from seedtrain.comparison._predicted import Bound, Errors, Pair, bounds, conformal, fewest, prediction_errors
from seedtrain.comparison._profiles import Profiles, feature, profiles, readings
from seedtrain.comparison._reconcile import Reconciled, deming, reconcile
from seedtrain.comparison._spectra import TREATMENTS, Spectra, Transferred, derivative, read_spectra, snv, transfer

__all__ = [
    "TREATMENTS", "Bound", "Calibration", "Compared", "Components", "Equivalence", "Errors", "Group", "Judged",
    "Margin", "MarginKind", "Member", "Multivariate", "Number", "Orthogonal", "Pair", "PlanEntry", "Profiles",
    "Reconciled", "Regression", "Scaling", "Spectra", "Transferred", "bounds", "compare_runs", "comparison_blocks",
    "comparison_figures", "comparison_lines", "components", "conformal", "deming", "derivative", "draft_plan",
    "drafted", "equivalence", "feature", "fewest", "members_of", "multivariate", "opls", "pls", "prediction_errors",
    "profiles", "read_spectra", "readings", "reconcile", "simulated_mark", "snv", "transfer",
]  # fmt: skip
