"""Strain design on a genome-scale model: knock-outs that couple growth to a product, and fluxes to raise.

Reactions whose loss forces product at the fastest growth (the aim of RobustKnock; Tepper & Shlomi 2010, doi:10.1093/
bioinformatics/btp704) are found by a search of our own that can prove its answer (`_knock_outs`). Knock-outs of genes,
and those after which product is possible at the fastest growth (OptKnock; Burgard, Pharkya & Maranas 2003,
doi:10.1002/bit.10803), are found by the library straindesign (Schneider, Bekiaris, von Kamp & Klamt 2022,
doi:10.1093/bioinformatics/btac632). Each design is held against fresh linear programmes. Fluxes to raise are those that
grow with an enforced product (FSEOF; Choi, Lee, Kim & Woo 2010, doi:10.1128/AEM.00115-10).
"""

from __future__ import annotations

import dataclasses
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final, Literal

from seedtrain.base import InputError, Progress, SeedtrainError, UnavailableError, collect, part, silent
from seedtrain.base import translate as _
from seedtrain.bioinformatics._fluxes import Fluxes, cobra_model
from seedtrain.bioinformatics._knock_outs import SPONTANEOUS, can_lose, force_product
from seedtrain.simulation import Edits, Network, read_network

Method = Literal["guaranteed", "possible"]

MODULES: Final[Mapping[Method, str]] = {"guaranteed": "robustknock", "possible": "optknock"}
INSTALL: Final = "Install it: pip install straindesign (Apache-2.0; it brings the solver SCIP)."
NOTABLE: Final = 1e-4
"""mmol/gDW/h of product at the fastest growth, from which on growth and product are coupled."""
AT_BEST: Final = 1e-6
"""Relative: how far below the fastest growth a flux distribution still counts as it."""


@dataclass(frozen=True)
class DesignQuestion:
    """What is asked of a strain design.

    - `knock_outs`: at most so many; of genes with `genes`, else of reactions that have a gene rule.
    - `least_growth`: 1/h, what a design must still reach.
    - `method`: `guaranteed` maximises the product that the fastest growth cannot do without, `possible` what it may
      make at best. Genes and `possible` need the library straindesign.
    - `time_limit`: s, of the search; the library prepares the network before. `designs`: how many.
    - `keep`: genes or reactions that stay.
    - `levels`, `targets`: steps of enforced product, and how many fluxes to raise are told.
    """

    knock_outs: int = 3
    least_growth: float = 0.05
    method: Method = "guaranteed"
    genes: bool = False
    time_limit: float = 60.0
    designs: int = 3
    keep: tuple[str, ...] = ()
    levels: int = 6
    targets: int = 10

    def __post_init__(self) -> None:
        for name, low, high in (("knock_outs", 1, 20), ("designs", 1, 100), ("levels", 3, 50), ("targets", 0, 1000)):
            if not low <= getattr(self, name) <= high:
                raise InputError(f"{name} is {getattr(self, name)}", remedy=f"Give {low} to {high}.")
        if not 0 < self.least_growth < 10:
            raise InputError(f"least_growth is {self.least_growth:g} 1/h", remedy="Give a growth rate above 0, in 1/h.")
        if not 0 < self.time_limit <= 86400:
            raise InputError(f"time_limit is {self.time_limit:g} s", remedy="Give up to 86400 s, above 0.")
        if self.method not in MODULES:
            raise InputError(f"there is no method {self.method!r}", remedy=f"Use one of: {', '.join(MODULES)}.")


@dataclass(frozen=True)
class KnockOuts:
    """One design, by our own linear programmes: 1/h, and mmol/gDW/h of product.

    - `names`: what is knocked out; `rules`: the gene rule of each reaction, empty for genes.
    - `growth`: the fastest; `product_least`, `product_most`: at it.
    - `product_always`: the least product at any growth above half of the fastest.
    """

    names: tuple[str, ...]
    rules: tuple[str, ...]
    growth: float
    product_least: float
    product_most: float
    product_always: float

    @property
    def coupled(self) -> bool:
        """Whether the fastest growth cannot do without product."""
        return self.product_least > NOTABLE


@dataclass(frozen=True)
class FluxTarget:
    """A flux that rises with the product: from the lowest to the highest enforced level, mmol/gDW/h."""

    reaction: str
    rule: str
    low: float
    high: float


@dataclass(frozen=True)
class StrainDesign:
    """Knock-outs and fluxes to raise for a product.

    - `growth`, `product_least`, `product_most`: of the strain as it is, at its fastest growth.
    - `bound`: mmol/gDW/h, the most product at the least growth asked for: no design can make more. `gap`: how far the
      best design may stay below the best there is, as a share of `bound`: 0 where the search came to its end, else the
      distance to `bound`; 1 where no design was found.
    - `status`: `proven` (by a search that came to its end), `solver` (the library's solver calls it optimal, which is
      taken as no proof), or `time_limit`. `seconds`: of preparation and search.
    """

    model: str
    product: str
    question: DesignQuestion
    growth: float
    product_least: float
    product_most: float
    bound: float
    status: str
    gap: float
    seconds: float
    designs: tuple[KnockOuts, ...]
    targets: tuple[FluxTarget, ...]
    versions: Mapping[str, str]

    def edits(self, number: int = 0, edits: Edits | None = None) -> Edits:
        """The edits of a design for `compile_metabolism`, on top of those that it was made with."""
        found = edits or Edits()
        return dataclasses.replace(found, knock_outs=(*found.knock_outs, *self.designs[number].names))

    def to_data(self) -> dict[str, Any]:
        """JSON-ready."""
        designs = [{**dataclasses.asdict(item), "coupled": item.coupled} for item in self.designs]
        return dataclasses.asdict(self) | {"designs": designs, "versions": dict(self.versions)}


def design_strain(
    model: str | Path,
    product: str,
    *,
    edits: Edits | None = None,
    question: DesignQuestion | None = None,
    progress: Progress = silent,
) -> StrainDesign:
    """Knock-outs that couple growth to the flux of `product`, and fluxes to raise.

    - `model`: SBML or JSON file, or a name that cobra ships. `product`: an exchange, or a drain of `edits`.
    - `edits`: bounds of the medium, drains, knock-outs that the strain already has.

    Raises `InputError` for a product that the strain cannot make, or that is no reaction, and `UnavailableError` where
    straindesign is not installed.
    """
    asked = question or DesignQuestion()
    progress(0.0, _("reading {file}").format(file=Path(model).name))
    network = read_network(model, edits)
    _check_names(network, product, asked)
    fluxes = Fluxes(network)
    growth, least, most = _at_best(fluxes, product)
    bound = _bound(network, fluxes, product, growth, asked)
    progress(0.1, _("fluxes that rise with the product"))
    targets = _targets(network, fluxes, product, asked)
    words = _("search for knock-outs, up to {seconds} s").format(seconds=f"{asked.time_limit:g}")
    progress(0.3, words)
    started = time.perf_counter()
    if asked.method == "guaranteed" and not asked.genes:
        searched = force_product(
            network,
            product,
            most=asked.knock_outs,
            least_growth=asked.least_growth,
            keep=frozenset(asked.keep),
            seconds=asked.time_limit,
            designs=asked.designs,
            progress=part(progress, 0.3, 0.9),
        )
        status, found = "proven" if searched.proven else "time_limit", list(searched.designs)
    else:
        status, found = _by_library(network, product, asked)
    seconds = time.perf_counter() - started
    progress(0.9, _("designs held against linear programmes"))
    designs = [_judged(model, edits or Edits(), product, names, asked) for names in found]
    kept = sorted((item for item in designs if item is not None), key=lambda item: _rank(item, asked))
    progress(1.0, _("{count} designs").format(count=len(kept[: asked.designs])))
    best = _made(kept[0], asked) if kept else 0.0
    return StrainDesign(
        model=network.name,
        product=product,
        question=asked,
        growth=growth,
        product_least=least,
        product_most=most,
        bound=bound,
        status=status,
        gap=0.0 if status == "proven" else min(max(1 - best / bound, 0.0), 1.0),
        seconds=seconds,
        designs=tuple(kept[: asked.designs]),
        targets=targets,
        versions=_versions(),
    )


def _check_names(network: Network, product: str, asked: DesignQuestion) -> None:
    errors: list[SeedtrainError] = []
    if product not in network.reactions:
        errors.append(network.unknown(product))
    for name in asked.keep:
        if name not in network.reactions and not any(name in rule.replace("(", " ").split() for rule in network.rules):
            errors.append(network.unknown(name))
    collect(errors)


def _versions() -> dict[str, str]:
    found = {}
    for name in ("highspy", "scipy", "seedtrain", "straindesign"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _made(item: KnockOuts, asked: DesignQuestion) -> float:
    """The product that is maximised, mmol/gDW/h."""
    return item.product_least if asked.method == "guaranteed" else item.product_most


def _rank(item: KnockOuts, asked: DesignQuestion) -> tuple[float, int, float, tuple[str, ...]]:
    return (-round(_made(item, asked), 4), len(item.names), -round(item.growth, 6), item.names)


def _at_best(fluxes: Fluxes, product: str) -> tuple[float, float, float]:
    """The fastest growth, and the least and the most product at it."""
    growth = fluxes.most(fluxes.growth)
    if growth is None:
        return 0.0, 0.0, 0.0
    held = {fluxes.growth: (growth * (1 - AT_BEST), growth)}
    least, most = fluxes.least(product, held), fluxes.most(product, held)
    return growth, least or 0.0, most or 0.0


def _bound(network: Network, fluxes: Fluxes, product: str, growth: float, asked: DesignQuestion) -> float:
    if growth < asked.least_growth:
        raise InputError(
            f"{network.name} grows at {growth:.3g} 1/h at best, and {asked.least_growth:g} 1/h is asked for",
            position=network.place(),
            remedy="Open the medium, or ask for less growth.",
        )
    bound = fluxes.most(product, {fluxes.growth: (asked.least_growth, growth)}) or 0.0
    if bound < NOTABLE:
        raise InputError(
            f"{network.name} cannot make {product} while it grows at {asked.least_growth:g} 1/h",
            position=network.place(),
            remedy="Check the medium, raise the product's upper bound, or add a drain for it.",
        )
    return bound


def _targets(network: Network, fluxes: Fluxes, product: str, asked: DesignQuestion) -> tuple[FluxTarget, ...]:
    """Reactions whose flux rises at every step of enforced product, growth at its fastest and total flux least."""
    import numpy as np

    top = fluxes.most(product) or 0.0
    rows = []
    for share in np.linspace(0.1, 0.9, asked.levels):
        found = fluxes.parsimonious({product: (share * top, top)})
        if found is not None:
            rows.append(np.abs(found) * np.sign(np.round(found, 6)))
    if len(rows) < 3:
        return ()
    levels = np.array(rows)
    size = np.abs(levels)
    same = (np.sign(levels) == np.sign(levels[-1])) | (size < NOTABLE)
    rising = same.all(axis=0) & (np.diff(size, axis=0) > -NOTABLE).all(axis=0) & (size[-1] > size[0] + NOTABLE)
    order = sorted(np.flatnonzero(rising), key=lambda item: -(size[-1, item] - size[0, item]))
    told = [item for item in order if can_lose(network.rules[item])]
    return tuple(
        FluxTarget(network.reactions[item], network.rules[item], float(levels[0, item]), float(levels[-1, item]))
        for item in told[: asked.targets]
    )


def _judged(
    model: str | Path, edits: Edits, product: str, names: tuple[str, ...], asked: DesignQuestion
) -> KnockOuts | None:
    """A design by fresh linear programmes; nothing where it does not keep what it promised."""
    network = read_network(model, dataclasses.replace(edits, knock_outs=(*edits.knock_outs, *names)))
    fluxes = Fluxes(network)
    growth, least, most = _at_best(fluxes, product)
    if growth < asked.least_growth * (1 - 1e-3):
        return None
    always = fluxes.least(product, {fluxes.growth: (growth / 2, growth)}) or 0.0
    rules = dict(zip(network.reactions, network.rules, strict=True))
    return KnockOuts(names, tuple(rules.get(name, "") for name in names), growth, least, most, always)


def _by_library(network: Network, product: str, asked: DesignQuestion) -> tuple[str, list[tuple[str, ...]]]:
    """Status and sets of knock-outs by straindesign: by SCIP, and by GLPK where SCIP stumbles over numbers."""
    try:
        straindesign: Any = import_module("straindesign")
    except ImportError:
        raise UnavailableError("strain design needs the package straindesign", remedy=INSTALL) from None
    model = cobra_model(network)
    module = straindesign.SDModule(
        model,
        MODULES[asked.method],
        inner_objective=network.growth,
        outer_objective=product,
        constraints=f"{network.growth} >= {asked.least_growth}",
    )
    options: dict[str, Any] = {"sd_modules": [module], "max_cost": asked.knock_outs, "time_limit": asked.time_limit}
    options |= {"solution_approach": "best", "max_solutions": asked.designs, "seed": 1}
    if asked.genes:
        options["gko_cost"] = {gene.id: 1.0 for gene in model.genes if gene.id not in (*asked.keep, *SPONTANEOUS)}
    else:
        names = zip(network.reactions, network.rules, network.exchanges, strict=True)
        options["ko_cost"] = {
            name: 1.0 for name, rule, border in names if can_lose(rule) and not border and name not in asked.keep
        }
    reason = ""
    level = logging.root.manager.disable
    logging.disable(logging.CRITICAL)  # it reports its progress as warnings of the root logger
    try:
        for solver in ("scip", "glpk"):
            try:
                found = straindesign.compute_strain_designs(model, solver=solver, **options)
            except Exception as error:  # noqa: BLE001  a solver of foreign origin may fail in any way of its own
                reason = (str(error).strip() or type(error).__name__).splitlines()[0]
                continue
            sets = found.gene_sd if found.is_gene_sd else found.reaction_sd
            knocked = {tuple(sorted(name for name, value in item.items() if value == -1)) for item in sets}
            status = "solver" if str(found.status) == "optimal" else "time_limit"
            return status, sorted(item for item in knocked if item)
    finally:
        logging.disable(level)
    raise UnavailableError(f"straindesign failed: {reason}", remedy="Ask for other knock-outs, or less growth.")
