"""Process development: one's own data, fits, scale-up, and cost and carbon."""

from seedtrain.development._agitation import KEEP, Agitation, Criterion, Operating, match
from seedtrain.development._data import result_from_data, result_to_data
from seedtrain.development._data_check import (
    Dataset,
    Finding,
    RunEntry,
    check_files,
    draft_mapping,
    read_data,
)
from seedtrain.development._economics import (
    Breakdown,
    Contribution,
    Driver,
    Economics,
    appraise,
    central_figures,
    cost_and_carbon,
)
from seedtrain.development._economics_blocks import economics_blocks
from seedtrain.development._estimation import (
    Advice,
    ErrorModel,
    Fit,
    FitParameter,
    Interval,
    MeasuredRun,
    PetabTables,
    Prior,
    Problem,
    advice_words,
    culture_problem,
    culture_text,
    fit_blocks,
    fit_problem,
    fitted_culture,
    interval_words,
    known_observables,
    petab_problem,
    read_petab,
    read_petab_tables,
    write_petab,
)
from seedtrain.development._factors import CATEGORIES, Factor, FactorTable, Item, read_factors
from seedtrain.development._feed import FeedLimit, Margins, growth_rate_is_lowest, largest_feed, margins
from seedtrain.development._inventory import Batch, inventory
from seedtrain.development._reference import FACTOR_COLUMNS, factor_rows, factors_markdown
from seedtrain.development._scale import ScaleResult, scale
from seedtrain.development._scale_blocks import scale_blocks
from seedtrain.development._schedule import Occupancy, Schedule, schedule
from seedtrain.development._tables import SeedRow, YieldRow
from seedtrain.development._transfer import Transfer
from seedtrain.development._use import BATCHES, Inventory, Use
from seedtrain.development._words import words

__all__ = [
    "BATCHES",
    "CATEGORIES",
    "FACTOR_COLUMNS",
    "KEEP",
    "Advice",
    "Agitation",
    "Batch",
    "Breakdown",
    "Contribution",
    "Criterion",
    "Dataset",
    "Driver",
    "Economics",
    "ErrorModel",
    "Factor",
    "FactorTable",
    "FeedLimit",
    "Finding",
    "Fit",
    "FitParameter",
    "Interval",
    "Inventory",
    "Item",
    "Margins",
    "MeasuredRun",
    "Occupancy",
    "Operating",
    "PetabTables",
    "Prior",
    "Problem",
    "RunEntry",
    "ScaleResult",
    "Schedule",
    "SeedRow",
    "Transfer",
    "Use",
    "YieldRow",
    "advice_words",
    "appraise",
    "central_figures",
    "check_files",
    "cost_and_carbon",
    "culture_problem",
    "culture_text",
    "draft_mapping",
    "economics_blocks",
    "factor_rows",
    "factors_markdown",
    "fit_blocks",
    "fit_problem",
    "fitted_culture",
    "growth_rate_is_lowest",
    "interval_words",
    "inventory",
    "known_observables",
    "largest_feed",
    "margins",
    "match",
    "petab_problem",
    "read_data",
    "read_factors",
    "read_petab",
    "read_petab_tables",
    "result_from_data",
    "result_to_data",
    "scale",
    "scale_blocks",
    "schedule",
    "words",
    "write_petab",
]
