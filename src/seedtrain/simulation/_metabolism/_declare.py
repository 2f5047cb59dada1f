"""A certified table as a culture file, so that it runs in any vessel and through any recipe.

Each region is a few affine expressions, and the lowest cut chooses among them, as the kernels do. What crosses the
border becomes conversions that close by the compositions, which are the model's own: growth and every by-product are
paid with the reference substrate by their electrons, and what is left of it is burnt. So the engine's balances of
carbon, oxygen and ammonia hold, and agree with the model's exchanges but for what it excretes beside the species that
are followed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from seedtrain.base import InputError, SeedtrainError, collect, parse_document
from seedtrain.simulation._metabolism._kinetics import Constant, GasSupply, Kinetics, Monod, Uptake
from seedtrain.simulation._metabolism._matter import Matter, biomass, substance
from seedtrain.simulation._metabolism._table import RegionTable

if TYPE_CHECKING:
    from seedtrain.simulation._culture import Culture

OXYGEN: Final = "EX_o2_e"
AMMONIUM: Final = "EX_nh4_e"
KNOWN: Final[Mapping[str, tuple[str, str]]] = {
    "EX_glc__D_e": ("S", "glucose"),
    "EX_ac_e": ("A", "acetate"),
    "EX_etoh_e": ("E", "ethanol"),
    "EX_for_e": ("formate", "formate"),
    "EX_lac__D_e": ("lactate", "lactate"),
    "EX_succ_e": ("succinate", "succinate"),
    "EX_glyc_e": ("G", "glycerol"),
    "EX_meoh_e": ("methanol", "methanol"),
}
"""BiGG exchanges: symbol, and the word in recipes; others go by their BiGG name."""
LOCALS: Final = {OXYGEN: "DO", AMMONIUM: "NH"}
"""Exchanges that a vessel follows itself, by the symbol of their concentration, mmol/L."""
K_SUBSTRATE: Final = 0.1
"""mmol/L; assumed where no kinetics are given."""
K_OXYGEN: Final = 0.005
"""mmol/L; assumed where no kinetics are given."""
PAID: Final = 1 + 1e-6
"""Electrons paid per electron kept, so that rounding never makes a conversion set oxygen free."""
MOST_REGIONS: Final = 120
"""Above, a file of expressions is no way to run a table; `Reactor` is."""
FEWEST_ARGUMENTS: Final = 9  # that min() takes


def usual_kinetics(table: RegionTable) -> Kinetics:
    """Kinetics for every moving bound where nothing is known: Monod up to the box's end, demands at its beginning."""
    found: dict[str, Uptake] = {}
    for item in table.moving:
        if item.kind == "demand":
            found[item.reaction] = Constant(item.low)
        else:
            found[item.reaction] = Monod(item.high, K_OXYGEN if item.reaction == OXYGEN else K_SUBSTRATE)
    return Kinetics(found)


def culture_from_metabolism(table: RegionTable, kinetics: Kinetics | None = None, *, name: str = "") -> Culture:
    """A compiled metabolism as a declared culture: `culture_file_from_metabolism` read back."""
    from seedtrain.simulation._culture_file import build

    text = culture_file_from_metabolism(table, kinetics, name=name)
    return build(parse_document(text, f"culture of {table.program.name}"))


def culture_file_from_metabolism(table: RegionTable, kinetics: Kinetics | None = None, *, name: str = "") -> str:
    """The culture file of a compiled metabolism.

    - `kinetics`: what each moving bound depends on, by `usual_kinetics` where left out. Oxygen depends on what is
      dissolved (`Monod`) or on nothing (`Constant`); what the gas brings is the vessel's.

    Raises `InputError` for a table with too many regions, a model whose biomass does not weigh a gram, and kinetics
    that have no place in a file.
    """
    writer = _Writer(table, kinetics or usual_kinetics(table), name or f"{table.program.name}_compiled")
    return writer.text()


@dataclass(frozen=True)
class _Species:
    symbol: str
    word: str
    matter: Matter


class _Writer:
    def __init__(self, table: RegionTable, kinetics: Kinetics, name: str) -> None:
        self.table, self.kinetics = table, kinetics
        self.name = re.sub(r"\W", "_", name)
        self.program = table.program
        self.matter = biomass(self.program.network)
        errors = self._faults()
        self.species: dict[str, _Species] = {}
        for exchange in table.exchanges:
            if exchange in self.program.reactions and exchange not in LOCALS:
                self._follow(exchange, errors)
        for reaction, own in self.kinetics.bounds.items():
            read = (reaction, own.inhibitor) if isinstance(own, Monod) else ()
            for name in filter(None, read):
                if name not in self.species and name not in LOCALS:
                    message = f"{reaction!r} depends on {name!r}, which the table does not report"
                    errors.append(InputError(message, remedy="Add it to the outputs when compiling."))
        collect(errors)
        self.reference = next(
            (item.reaction for item in table.moving if item.kind == "uptake" and item.reaction in self.species), ""
        )
        if not self.reference:
            raise InputError("no moving uptake brings carbon", remedy="Compile with one, such as EX_glc__D_e=0..12.")

    def _faults(self) -> list[SeedtrainError]:
        found: list[SeedtrainError] = []
        if self.table.regions > MOST_REGIONS:
            remedy = f"Move fewer bounds or narrow them (at most {MOST_REGIONS} regions), or use Reactor."
            found.append(InputError(f"{self.table.regions} regions are too many for a culture file", remedy=remedy))
        for item in self.table.moving:
            own = self.kinetics.bounds.get(item.reaction)
            if own is None:
                found.append(InputError(f"the moving bound {item.reaction!r} has no kinetics", remedy="Give them."))
            elif isinstance(own, GasSupply):
                message = f"{item.reaction!r} depends on gas supply, which is the vessel's"
                found.append(InputError(message, remedy="Give Monod, which depends on what is dissolved."))
        if self.kinetics.k_d or self.kinetics.gas:
            words = "k_d" if self.kinetics.k_d else "gas"
            found.append(InputError(f"a culture file has no {words}", remedy="Leave it out, or use Reactor."))
        return found

    def _follow(self, exchange: str, errors: list[SeedtrainError]) -> None:
        try:
            matter = substance(self.program.network, exchange)
        except InputError as error:
            errors.append(error)
            return
        if matter is not None:
            bare = re.sub(r"\W", "_", exchange.removeprefix("EX_").removesuffix("_e"))
            symbol, word = KNOWN.get(exchange, (f"c_{bare}", bare))
            self.species[exchange] = _Species(symbol, word, matter)

    def text(self) -> str:
        return "\n".join([*self._head(), *self._species(), *self._parameters(), *self._expressions(), *self._tail()])

    def _head(self) -> list[str]:
        proof, program = self.table.proof, self.program
        return [
            f"# {program.name} compiled by seedtrain: {proof.regions} regions, largest flux difference from fresh",
            f"# linear programmes {max(proof.random, proof.face, proof.kink):.1e} mmol/gDW/h. See seedtrain compile.",
            f"culture: {self.name}",
            f"title: {program.name}, {len(program.reactions)} reactions, as a table of {proof.regions} regions",
            f"source: {program.name}; digest {program.digest[:16]}",
            "status: unverified",
            "design: true",
            "biomass: X",
            "",
        ]

    def _species(self) -> list[str]:
        lines = ["species:", "  X:", "    words: biomass", "    known_as: biomass", "    unit: g/L"]
        lines += [f"    composition: {_atoms(self.matter)}", f"    ash: {100 * self.matter.ash:.6f} %"]
        lines += ["    intracellular: true"]
        for item in self.species.values():
            lines += [f"  {item.symbol}:", f"    words: {item.word}", f"    known_as: {item.word}", "    unit: g/L"]
            lines += [f"    composition: {_atoms(item.matter)}"]
            lines += [f"    protons: {item.matter.protons:g}"] if item.matter.protons else []
        return [*lines, ""]

    def _parameters(self) -> list[str]:
        lines = ["parameters:"]
        for item in self.table.moving:
            own = self.kinetics.bounds[item.reaction]
            tag, source = self._tag(item.reaction), own.source or "assumed"
            values = [(f"q_{tag}", own.value if isinstance(own, Constant) else own.q_max, "mmol/g/h")]
            if isinstance(own, Monod):
                values.append((f"K_{tag}", own.K_S, "mmol/L"))
                values += [(f"K_I_{tag}", own.K_I, "mmol/L")] if own.inhibitor else []
            for symbol, value, unit in values:
                high = item.high if symbol == f"q_{tag}" else 1e3 * value
                low = item.low if symbol == f"q_{tag}" else 1e-3 * value
                span = f"{min(low, value):g} .. {max(high, value):g} {unit}"
                lines.append(
                    f"  {symbol}: {{value: {value!r} {unit}, range: {span}, status: {own.status}, "
                    f"source: {_quoted(source)}}}"
                )
        masses = [f"M_{item.symbol}: {item.matter.grams / 1000:.9g} g/mmol" for item in self.species.values()]
        fixed = ["one: 1 mmol/g/h", "per_hour: 1 1/h", "per_g: 1 mmol/g", *masses]
        return [*lines, "", f"constants: {{{', '.join(fixed)}}}", ""]

    def _tag(self, reaction: str) -> str:
        if reaction in LOCALS:
            return {OXYGEN: "O2", AMMONIUM: "NH"}[reaction]
        return self.species[reaction].symbol if reaction in self.species else re.sub(r"\W", "_", reaction)

    def _expressions(self) -> list[str]:
        lines = ["expressions:"]
        for number, item in enumerate(self.table.moving):
            # Outside the box the cuts are no bounds: uptake is held at its end.
            bound = f"max({self._bound(item.reaction)} / one, {float(item.low)!r})"
            lines.append(f"  x{number}: min({bound}, {float(item.high)!r})")
        table = self.table
        for region, (alpha, beta) in enumerate(zip(table.alpha, table.beta, strict=True)):
            lines.append(f"  h{region}: {_affine(alpha, beta)}")
        lines.append(f"  least: {_least([f'h{region}' for region in range(len(table.beta))])}")
        for symbol, row in self._followed().items():
            last = len(table.beta) - 1
            lines.append(f"  {symbol}_{last}: {_affine(table.A[last, row], table.b[last, row])}")
            for region in range(last - 1, -1, -1):
                value = _affine(table.A[region, row], table.b[region, row])
                lines.append(f"  {symbol}_{region}: {value} if h{region} <= least else {symbol}_{region + 1}")
        lines.append("  mu: g_0 * per_hour")
        lines += [f"  r_{item.symbol}: e_{item.symbol}_0 * one" for item in self.species.values()]
        lines += [f"  deficit_{self._tag(name)}: d_{self._tag(name)}_0 * one" for name in table.demands]
        reference = self.species[self.reference].symbol
        lines.append(f"  q_reference: -r_{reference} * M_{reference}")
        return [*lines, ""]

    def _followed(self) -> dict[str, int]:
        """Each output that an expression gives, by the beginning of its symbol, with its row in the table."""
        outputs = self.program.outputs
        found = {"g": 0} | {f"e_{item.symbol}": outputs.index(name) for name, item in self.species.items()}
        return found | {f"d_{self._tag(name)}": outputs.index(f"deficit:{name}") for name in self.table.demands}

    def _bound(self, reaction: str) -> str:
        own, tag = self.kinetics.bounds[reaction], self._tag(reaction)
        if not isinstance(own, Monod):
            return f"q_{tag}"
        place = self._place(reaction)
        text = f"q_{tag} * {place} / (K_{tag} + {place})"
        return f"{text} * K_I_{tag} / (K_I_{tag} + {self._place(own.inhibitor)})" if own.inhibitor else text

    def _place(self, exchange: str) -> str:
        """The concentration of what crosses by `exchange`, mmol/L."""
        if exchange in LOCALS:
            return LOCALS[exchange]
        symbol = self.species[exchange].symbol
        return f"({symbol} / M_{symbol})"

    def _tail(self) -> list[str]:
        reference = self.species[self.reference]
        S, whole = reference.symbol, reference.matter.electrons
        paid = self.matter.electrons / whole * PAID
        lines = ["conversions:"]
        lines.append(f"  growth: {{rate: mu, consumes: {{{S}: {paid!r} * per_g * M_{S}}}, produces: {{X: 1}}}}")
        burnt = f"-r_{S} - {paid!r} * per_g * mu"
        for exchange, item in self.species.items():
            if exchange == self.reference:
                continue
            share, made = item.matter.electrons / whole * PAID, item.symbol
            burnt += f" - {share!r} * r_{made}"
            sides = f"consumes: {{{S}: {share!r} * M_{S}}}, produces: {{{made}: M_{made}}}"
            lines.append(f"  made_{made}: {{rate: r_{made}, {sides}}}")
        lines.append(f"  burnt: {{rate: {burnt}, consumes: {{{S}: M_{S}}}}}")
        return [*lines, "", "outputs: {mu: mu, q_S: q_reference}", ""]


def _affine(slopes: object, offset: float) -> str:
    parts = [repr(float(offset))]
    for number, slope in enumerate(slopes):  # type: ignore[arg-type,var-annotated]
        value = float(slope)
        if value:
            parts.append(f"{'-' if value < 0 else '+'} {abs(value)!r} * x{number}")
    return " ".join(parts)


def _least(names: list[str]) -> str:
    """The least of many as a tree of calls."""
    while len(names) > 1:
        groups = [names[at : at + FEWEST_ARGUMENTS] for at in range(0, len(names), FEWEST_ARGUMENTS)]
        names = [f"min({', '.join(group)})" if len(group) > 1 else group[0] for group in groups]
    return names[0]


def _atoms(matter: Matter) -> str:
    return "{" + ", ".join(f"{name}: {float(count)!r}" for name, count in matter.atoms.items() if count) + "}"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
