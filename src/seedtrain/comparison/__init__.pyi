from ._blocks import comparison_blocks, comparison_figures, comparison_lines, simulated_mark
from ._compare import Compared, compare_runs, drafted
from ._equivalence import Equivalence, Group, Margin, MarginKind, equivalence
from ._judge_series import Number
from ._judge_spectra import Calibration
from ._judged import Judged
from ._latent import Components, Orthogonal, Regression, Scaling, components, opls, pls
from ._members import Member, members_of
from ._multivariate import Multivariate, multivariate
from ._plan import PlanEntry, draft_plan
from ._predicted import Bound, Errors, Pair, bounds, conformal, fewest, prediction_errors
from ._profiles import Profiles, feature, profiles, readings
from ._reconcile import Reconciled, deming, reconcile
from ._spectra import TREATMENTS, Spectra, Transferred, derivative, read_spectra, snv, transfer

__all__ = [
    "TREATMENTS", "Bound", "Calibration", "Compared", "Components", "Equivalence", "Errors", "Group", "Judged",
    "Margin", "MarginKind", "Member", "Multivariate", "Number", "Orthogonal", "Pair", "PlanEntry", "Profiles",
    "Reconciled", "Regression", "Scaling", "Spectra", "Transferred", "bounds", "compare_runs", "comparison_blocks",
    "comparison_figures", "comparison_lines", "components", "conformal", "deming", "derivative", "draft_plan",
    "drafted", "equivalence", "feature", "fewest", "members_of", "multivariate", "opls", "pls", "prediction_errors",
    "profiles", "read_spectra", "readings", "reconcile", "simulated_mark", "snv", "transfer",
]  # fmt: skip
