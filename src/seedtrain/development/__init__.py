"""Process development: scale-up, and cost and carbon."""

from seedtrain.development._agitation import KEEP, Agitation, Criterion, Operating, match
from seedtrain.development._data import result_from_data, result_to_data
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
    "Agitation",
    "Batch",
    "Breakdown",
    "Contribution",
    "Criterion",
    "Driver",
    "Economics",
    "Factor",
    "FactorTable",
    "FeedLimit",
    "Inventory",
    "Item",
    "Margins",
    "Occupancy",
    "Operating",
    "ScaleResult",
    "Schedule",
    "SeedRow",
    "Transfer",
    "Use",
    "YieldRow",
    "appraise",
    "central_figures",
    "cost_and_carbon",
    "economics_blocks",
    "factor_rows",
    "factors_markdown",
    "growth_rate_is_lowest",
    "inventory",
    "largest_feed",
    "margins",
    "match",
    "read_factors",
    "result_from_data",
    "result_to_data",
    "scale",
    "scale_blocks",
    "schedule",
    "words",
]
