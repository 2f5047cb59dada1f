"""Materials, lots, samples, specifications, results, and verdicts of three values."""

from seedtrain.quality._materials import (
    ANIMAL_ORIGINS,
    ORIGINS,
    Constituent,
    ConstituentEntry,
    Lot,
    LotEntry,
    LotStatus,
    Material,
    Sample,
)
from seedtrain.quality._origin import judge_origin, origin_words, origins
from seedtrain.quality._shelf_life import CONFIDENCE, ShelfLife, StabilityPoint, TrendLine, out_of_trend, shelf_life
from seedtrain.quality._specification import (
    Limit,
    Specification,
    SpecificationEntry,
    SpecificationLine,
    round_half_up,
)
from seedtrain.quality._verdict import (
    Criterion,
    Result,
    Verdict,
    VerdictWord,
    combine,
    judge,
    judge_interval,
    verdict_words,
)

__all__ = [
    "ANIMAL_ORIGINS",
    "CONFIDENCE",
    "ORIGINS",
    "Constituent",
    "ConstituentEntry",
    "Criterion",
    "Limit",
    "Lot",
    "LotEntry",
    "LotStatus",
    "Material",
    "Result",
    "Sample",
    "ShelfLife",
    "Specification",
    "SpecificationEntry",
    "SpecificationLine",
    "StabilityPoint",
    "TrendLine",
    "Verdict",
    "VerdictWord",
    "combine",
    "judge",
    "judge_interval",
    "judge_origin",
    "origin_words",
    "origins",
    "out_of_trend",
    "round_half_up",
    "shelf_life",
    "verdict_words",
]
