"""What a strain can do at best with this product: yields, the trade-off with growth, oxygen, the price in glucose."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from seedtrain.base import InputError, Progress, part, silent
from seedtrain.base import translate as _
from seedtrain.bioinformatics._drain import DRAIN_SOURCE, drain
from seedtrain.bioinformatics._metabolism import (
    AMMONIUM,
    CARBON_DIOXIDE,
    MAINTENANCE,
    OXYGEN,
    SLACK,
    Metabolism,
    load_metabolism,
)
from seedtrain.bioinformatics._protein import ATP_PER_RESIDUE, Protein

MODEL_SOURCES: Final[Mapping[str, str]] = {
    "iJO1366": "iJO1366 (E. coli K-12 MG1655): Orth et al. 2011, Mol Syst Biol 7:535, as the cobra package ships it",
}
K12_MODELS: Final = ("iJO1366",)
SIGNIFICANT: Final = 6
"""Digits kept of a solver's answer: its tolerances hold no more, and another machine may differ beyond them."""


@dataclass(frozen=True)
class EnvelopePoint:
    """One point of the trade-off: at growth rate `mu` (1/h) the largest `q_P` (g/gDW/h), and with it the least
    `q_O2`, then the least `q_CO2` (mmol/gDW/h)."""

    mu: float
    q_P: float
    q_O2: float
    q_CO2: float


@dataclass(frozen=True)
class MarginalCost:
    """What one more gram of product costs a culture that grows at `mu` (1/h), from none to `q_P` (g/gDW/h).

    - `substrate`: g per g product; its inverse is `Y_PS`. `oxygen`, `carbon_dioxide`, `ammonium`: mmol per g product.
    - `substrate_for_growth`: g/gDW/h without product, maintenance included.
    """

    mu: float
    q_P: float
    substrate: float
    oxygen: float
    carbon_dioxide: float
    ammonium: float
    substrate_for_growth: float

    @property
    def Y_PS(self) -> float:
        """g product per g substrate, at the margin."""
        return 1.0 / self.substrate


@dataclass(frozen=True)
class StrainLimits:
    """The strain's limits for one product, by flux balance.

    - `uptake`: mmol substrate/gDW/h; `oxygen_uptake`: the most of oxygen, or `None` where it is free.
    - `growth_max`: 1/h, without product. `q_P_max`: g/gDW/h, without growth, maintenance paid.
    - `max_yield`: g/g, `max_carbon_yield`: C-mol/C-mol, both at `q_P_max`; `yield_without_maintenance`: g/g.
    - `theoretical_yield`: g/g, all electrons of the substrate in the product: no metabolism can do better.
    - `maintenance`: mmol ATP/gDW/h. `atp_per_residue`: mol ATP per mol residue.
    """

    product: str
    model: str
    substrate: str
    uptake: float
    oxygen_uptake: float | None
    growth_max: float
    q_P_max: float
    max_yield: float
    max_carbon_yield: float
    yield_without_maintenance: float
    theoretical_yield: float
    maintenance: float
    atp_per_residue: float
    envelope: tuple[EnvelopePoint, ...]
    marginal: MarginalCost
    sources: tuple[str, ...]
    versions: Mapping[str, str]

    @property
    def oxygen(self) -> tuple[tuple[float, float, float], ...]:
        """Rows of mu (1/h), q_P (g/gDW/h) and q_O2 (mmol/gDW/h)."""
        return tuple((point.mu, point.q_P, point.q_O2) for point in self.envelope)

    @property
    def columns(self) -> dict[str, tuple[float, ...]]:
        """The trade-off as columns for a plot: mu, q_P, q_O2, q_CO2."""
        return {
            item.name: tuple(getattr(point, item.name) for point in self.envelope)
            for item in dataclasses.fields(EnvelopePoint)
        }

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the figures must know, in the language in use."""
        notes = [
            _("Flux balance says what stoichiometry allows; no enzyme, burden or regulation limits it."),
            _("The largest yield is without growth, with {maintenance} mmol ATP/gDW/h of maintenance paid.").format(
                maintenance=f"{self.maintenance:g}"
            ),
            _("Oxygen and carbon dioxide are the least that go with the most product at each growth rate."),
        ]
        if self.model in K12_MODELS:
            notes.append(_("{model} is a K-12 strain; a BL21 host differs in details.").format(model=self.model))
        if self.oxygen_uptake is None:
            notes.append(_("Oxygen is free here; the vessel's limit is judged at the scale-up."))
        return tuple(notes)

    def to_data(self) -> dict[str, Any]:
        """JSON-ready; `from_data` reads it back."""
        return dataclasses.asdict(self) | {
            "envelope": [dataclasses.asdict(point) for point in self.envelope],
            "marginal": dataclasses.asdict(self.marginal),
            "sources": list(self.sources),
            "versions": dict(self.versions),
        }

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> StrainLimits:
        """The limits of `to_data`."""
        fields = {item.name: data[item.name] for item in dataclasses.fields(cls)}
        fields["envelope"] = tuple(EnvelopePoint(**point) for point in data["envelope"])
        fields["marginal"] = MarginalCost(**data["marginal"])
        fields["sources"] = tuple(data["sources"])
        fields["versions"] = dict(data["versions"])
        return cls(**fields)


@dataclass(frozen=True)
class Question:
    """What is asked of a strain: a carbon source by BiGG name, rates, and how fine the trade-off is.

    - `uptake`, `oxygen_uptake`: mmol/gDW/h. `growth_rate`: 1/h and `q_P`: g/gDW/h, where the marginal cost is taken.
    """

    substrate: str = "glc__D"
    uptake: float = 10.0
    oxygen_uptake: float | None = None
    growth_rate: float = 0.1
    q_P: float = 0.05
    points: int = 11
    atp_per_residue: float = ATP_PER_RESIDUE

    def __post_init__(self) -> None:
        for name in ("uptake", "oxygen_uptake", "q_P"):
            value = getattr(self, name)
            if value is not None and not 0 < value < 1000:
                raise InputError(f"{name} is {value:g}", remedy="Give a rate above 0 and below 1000.")
        if not 0 <= self.growth_rate < 10:
            raise InputError(f"growth_rate is {self.growth_rate:g} 1/h", remedy="Give 0 or more, in 1/h.")
        if not 2 <= self.points <= 200:
            raise InputError(f"points is {self.points}", remedy="Give 2 to 200.")


def strain_limits(
    protein: Protein,
    model: str | Path = "iJO1366",
    *,
    question: Question | None = None,
    progress: Progress = silent,
) -> StrainLimits:
    """The limits of `model`, a name that the cobra package ships or an SBML file, for `protein`.

    Raises `InputError` where cobra is missing, the model lacks what the product needs, or a rate cannot be met.
    """
    asked = question or Question()
    progress(0.0, "reading the metabolic model")
    metabolism = load_metabolism(model)
    return limits_of(metabolism, protein, asked, progress=part(progress, 0.6, 1.0))


def limits_of(
    metabolism: Metabolism, protein: Protein, asked: Question, *, progress: Progress = silent
) -> StrainLimits:
    """`strain_limits` on a model that is already in memory; the model is left as it was."""
    with metabolism.trial():
        metabolism.add_drain(drain(protein, asked.atp_per_residue))
        metabolism.feed_only(asked.substrate, asked.uptake)
        if asked.oxygen_uptake is not None:
            metabolism.limit_uptake(OXYGEN, asked.oxygen_uptake)
        source = _Substrate.of(metabolism, asked.substrate)
        growth_max, q_P_max, unpaid = _extremes(metabolism, asked)
        grams = asked.uptake * source.molar_mass / 1000.0
        carbon = (protein.elements["C"] / protein.molar_mass) / (source.carbon / source.molar_mass)
        progress(0.2, "tracing growth against product")
        return StrainLimits(
            product=protein.name,
            model=str(metabolism.model.id),
            substrate=asked.substrate,
            uptake=asked.uptake,
            oxygen_uptake=asked.oxygen_uptake,
            growth_max=_keep(growth_max),
            q_P_max=_keep(q_P_max),
            max_yield=_keep(q_P_max / grams),
            max_carbon_yield=_keep(q_P_max / grams * carbon),
            yield_without_maintenance=_keep(unpaid / grams),
            theoretical_yield=_keep(_theoretical_yield(protein, source)),
            maintenance=float(metabolism.model.reactions.get_by_id(MAINTENANCE).lower_bound),
            atp_per_residue=asked.atp_per_residue,
            envelope=_envelope(metabolism, growth_max, asked.points, part(progress, 0.2, 0.8)),
            marginal=_marginal(metabolism, asked, source, growth_max),
            sources=(
                MODEL_SOURCES.get(str(metabolism.model.id), f"{metabolism.model.id}, as its file gives it"),
                DRAIN_SOURCE,
            ),
            versions=metabolism.versions,
        )


@dataclass(frozen=True)
class _Substrate:
    molar_mass: float
    carbon: int
    electrons: float

    @staticmethod
    def of(metabolism: Metabolism, name: str) -> _Substrate:
        """Molar mass (g/mol), carbon atoms and available electrons per mol, from the model's formula and charge."""
        metabolite = next(iter(metabolism.exchange(name).metabolites))
        atoms: Mapping[str, int] = metabolite.elements
        unknown = sorted(set(atoms) - set("CHNOS"))
        if not atoms.get("C") or unknown:
            words = f"holds {', '.join(unknown)}" if unknown else "holds no carbon"
            raise InputError(f"{name} {words}", remedy="Name a carbon source of C, H, N, O and S.")
        electrons = sum({"C": 4, "H": 1, "N": -3, "O": -2, "S": 6}[atom] * count for atom, count in atoms.items())
        return _Substrate(float(metabolite.formula_weight), atoms["C"], electrons - float(metabolite.charge or 0))


def _theoretical_yield(protein: Protein, source: _Substrate) -> float:
    """g/g with every available electron of the substrate in the product (degree of reduction balance)."""
    return (source.electrons / source.molar_mass) / (
        protein.degree_of_reduction * protein.elements["C"] / protein.molar_mass
    )


def _extremes(metabolism: Metabolism, asked: Question) -> tuple[float, float, float]:
    """Largest growth (1/h), largest product without growth (g/gDW/h), and that without maintenance."""
    fed = f"an uptake of {asked.uptake:g} mmol/gDW/h of {asked.substrate}"
    raised = "Raise the uptake of the carbon source or of oxygen."
    paid = f"maintenance from {fed}"
    with metabolism.trial():
        metabolism.hold(metabolism.product, 0.0)
        growth = metabolism.largest(metabolism.growth, paid, raised)
    if not growth > 1e-6:
        raise InputError(f"nothing grows in {metabolism.model.id} from {fed}", remedy=raised)
    with metabolism.trial():
        metabolism.hold(metabolism.growth, 0.0)
        q_P = metabolism.largest(metabolism.product, paid, raised)
        metabolism.hold(MAINTENANCE, 0.0, 1000.0)
        unpaid = metabolism.largest(metabolism.product, paid, raised)
    if not q_P > 1e-9:
        raise InputError(f"the product cannot be made in {metabolism.model.id} from {fed}", remedy=raised)
    return growth, q_P, unpaid


def _envelope(metabolism: Metabolism, growth_max: float, points: int, progress: Progress) -> tuple[EnvelopePoint, ...]:
    found = []
    for index in range(points):
        mu = growth_max * index / (points - 1)
        words = f"growth at {mu:.4g} 1/h"
        remedy = "Ask for a growth rate below the largest."
        with metabolism.trial():
            metabolism.hold(metabolism.growth, mu if index < points - 1 else mu * (1.0 - SLACK), mu)
            q_P = max(0.0, metabolism.largest(metabolism.product, words, remedy))
            metabolism.hold(metabolism.product, q_P * (1.0 - SLACK), 1000.0)
            oxygen = metabolism.least_uptake(OXYGEN, words, remedy)
            released = metabolism.smallest(metabolism.exchange(CARBON_DIOXIDE).id, words, remedy)
        # Where growth takes everything, what is left for product is the slack of the growth held.
        real = q_P if index < points - 1 else 0.0
        found.append(EnvelopePoint(_keep(mu), _keep(real), _keep(oxygen), _keep(released)))
        progress((index + 1) / points, words)
    return tuple(found)


def _marginal(metabolism: Metabolism, asked: Question, source: _Substrate, growth_max: float) -> MarginalCost:
    """The cheapest way to grow at the asked rate without and with product, and the difference per gram."""
    if asked.growth_rate >= growth_max:
        raise InputError(
            f"a growth rate of {asked.growth_rate:g} 1/h is not below the largest of {growth_max:.4g} 1/h",
            remedy="Lower the growth rate or raise the uptake of the carbon source.",
        )
    without = _cheapest(metabolism, asked, 0.0)
    with_product = _cheapest(metabolism, asked, asked.q_P)
    substrate, oxygen, released, ammonium = (
        (after - before) / asked.q_P for before, after in zip(without, with_product, strict=True)
    )
    grams = source.molar_mass / 1000.0
    return MarginalCost(
        mu=asked.growth_rate,
        q_P=asked.q_P,
        substrate=_keep(substrate * grams),
        oxygen=_keep(oxygen),
        carbon_dioxide=_keep(released),
        ammonium=_keep(ammonium),
        substrate_for_growth=_keep(without[0] * grams),
    )


def _cheapest(metabolism: Metabolism, asked: Question, q_P: float) -> tuple[float, float, float, float]:
    """Least substrate, then least oxygen, then least carbon dioxide out, then least ammonium; mmol/gDW/h."""
    words = f"growth at {asked.growth_rate:g} 1/h with {q_P:g} g/gDW/h of product"
    remedy = "Lower the growth rate or the product formation, or raise the oxygen uptake."
    with metabolism.trial():
        metabolism.limit_uptake(asked.substrate, 1000.0)
        metabolism.hold(metabolism.growth, asked.growth_rate)
        metabolism.hold(metabolism.product, q_P)
        substrate = metabolism.least_uptake(asked.substrate, words, remedy)
        oxygen = metabolism.least_uptake(OXYGEN, words, remedy)
        exchange = metabolism.exchange(CARBON_DIOXIDE)
        released = metabolism.smallest(exchange.id, words, remedy)
        metabolism.hold(exchange.id, exchange.lower_bound, released + SLACK * abs(released))
        ammonium = metabolism.least_uptake(AMMONIUM, words, remedy)
    return substrate, oxygen, released, ammonium


def _keep(value: float) -> float:
    return float(f"{value:.{SIGNIFICANT}g}") + 0.0
