"""A genome-scale model with a product's drain: linear programmes whose failures say which requirement cannot be met."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from seedtrain.base import InputError, Position, digest_file
from seedtrain.bioinformatics._drain import Drain

MAINTENANCE: Final = "ATPM"
SLACK: Final = 1e-7
"""Relative: how far an earlier stage's optimum is loosened, so that the next stage does not stand on its tolerance."""
TOLERANCE: Final = 1e-9
TRACE: Final = 0.1
"""mmol/gDW/h; an organic substance that a model lets in at less is a vitamin, not a carbon source."""
OXYGEN, CARBON_DIOXIDE, AMMONIUM = "o2", "co2", "nh4"


class Metabolism:
    """A metabolic model that grows, breathes and, after `add_drain`, makes a product.

    Exchange names are BiGG metabolites without compartment; fluxes in mmol/gDW/h, of the product in g/gDW/h.
    """

    def __init__(self, model: Any, versions: Mapping[str, str]) -> None:
        from cobra.util.solver import linear_reaction_coefficients

        model.solver = "glpk"  # whatever else is installed: another solver may pick another vertex
        model.tolerance = TOLERANCE
        self.model = model
        self.versions = dict(versions)
        objective: Mapping[Any, float] = linear_reaction_coefficients(model)
        if len(objective) != 1:
            raise InputError(f"model {model.id} has {len(objective)} growth reactions", remedy="Set one as objective.")
        self.growth = next(iter(objective)).id
        self.product = ""
        for name, words in ((MAINTENANCE, "maintenance reaction"), (f"EX_{OXYGEN}_e", "oxygen exchange")):
            if not model.reactions.has_id(name):
                raise InputError(f"model {model.id} has no {words} {name!r}", remedy="Use BiGG identifiers.")

    def add_drain(self, drain: Drain) -> None:
        """Give the model a reaction of 1 g product per unit of flux, and a way out for it."""
        import cobra

        names = {name: f"{name}_c" for name in drain.stoichiometry}
        missing = sorted(found for found in names.values() if not self.model.metabolites.has_id(found))
        if missing:
            raise InputError(
                f"model {self.model.id} does not make {', '.join(missing)}, which this product needs",
                remedy="Use a genome-scale model with BiGG identifiers, such as iJO1366.",
            )
        per_gram = 1000.0 / drain.molar_mass
        product = cobra.Metabolite("seedtrain_product_c", formula=drain.formula, charge=drain.charge, compartment="c")
        reaction = cobra.Reaction("seedtrain_product", name="product", lower_bound=0.0, upper_bound=1000.0)
        flows = {self.model.metabolites.get_by_id(names[name]): x * per_gram for name, x in drain.stoichiometry.items()}
        reaction.add_metabolites(flows | {product: per_gram})
        self.model.add_reactions([reaction])
        self.model.add_boundary(product, type="demand")
        self.product = reaction.id

    def exchange(self, name: str) -> Any:
        """The exchange reaction of a metabolite; raises `InputError` where the model has none."""
        identifier = f"EX_{name}_e"
        if not self.model.reactions.has_id(identifier):
            raise InputError(
                f"model {self.model.id} has no exchange reaction {identifier!r}",
                remedy="Name the carbon source by its BiGG metabolite, such as glc__D.",
            )
        return self.model.reactions.get_by_id(identifier)

    def feed_only(self, name: str, most: float) -> None:
        """Let at most `most` mmol/gDW/h of one carbon source in and no other; traces such as vitamins stay."""
        fed = self.exchange(name)
        for exchange in self.model.exchanges:
            atoms = next(iter(exchange.metabolites)).elements
            organic = atoms.get("C", 0) > 0 and atoms.get("H", 0) > 1  # neither carbon dioxide nor bicarbonate
            if exchange is not fed and organic and exchange.lower_bound < -TRACE:
                exchange.lower_bound = 0.0
        self.limit_uptake(name, most)

    def limit_uptake(self, name: str, most: float) -> None:
        """Let at most `most` mmol/gDW/h of a metabolite in."""
        self.exchange(name).lower_bound = -most

    def hold(self, reaction: str, low: float, high: float | None = None) -> None:
        """Keep a reaction's flux from `low` to `high` (to `low` where `high` is left out)."""
        self.model.reactions.get_by_id(reaction).bounds = (low, low if high is None else high)

    @contextmanager
    def trial(self) -> Iterator[None]:
        """Undo every bound and objective set inside the block."""
        with self.model:
            yield

    def largest(self, reaction: str, requirement: str, remedy: str) -> float:
        """The largest flux of `reaction`; an `InputError` with `requirement` and `remedy` where there is none."""
        return self._optimum(reaction, "max", requirement, remedy)

    def smallest(self, reaction: str, requirement: str, remedy: str) -> float:
        """The smallest flux of `reaction`; an `InputError` with `requirement` and `remedy` where there is none."""
        return self._optimum(reaction, "min", requirement, remedy)

    def least_uptake(self, name: str, requirement: str, remedy: str) -> float:
        """The smallest uptake of a metabolite, then held there (within `SLACK`) for the next stage."""
        exchange = self.exchange(name)
        flux = self.largest(exchange.id, requirement, remedy)
        exchange.lower_bound = min(exchange.upper_bound, flux - SLACK * abs(flux))
        return -flux

    def _optimum(self, reaction: str, direction: str, requirement: str, remedy: str) -> float:
        self.model.objective = self.model.reactions.get_by_id(reaction)
        self.model.objective_direction = direction
        self.model.solver.optimize()
        status = str(self.model.solver.status)
        if status != "optimal":
            raise InputError(f"{requirement} cannot be met in {self.model.id} (solver: {status})", remedy=remedy)
        return float(self.model.solver.objective.value)


def load_metabolism(model: str | Path) -> Metabolism:
    """A model that the cobra package ships, by name, or an SBML file; nothing is asked of the network.

    Raises `InputError` where cobra is not installed, the name is unknown or the file is no model.
    """
    try:
        import cobra
        from cobra.io import read_sbml_model
    except ImportError as error:
        raise InputError(
            f"metabolic models need the package cobra ({error.name or error} is not installed)",
            remedy='Install it: pip install "seedtrain[metabolism]".',
        ) from None
    path = Path(model)
    if not path.name.endswith((".xml", ".xml.gz", ".sbml")):
        folder = Path(cobra.__file__).parent / "data"
        path = folder / f"{model}.xml.gz"
        if not path.is_file():
            shipped = sorted(found.name.removesuffix(".xml.gz") for found in folder.glob("*.xml.gz"))
            raise InputError(
                f"there is no metabolic model {str(model)!r}",
                remedy=f"Use one of {', '.join(shipped)}, or give an SBML file (.xml or .xml.gz).",
            )
    elif not path.is_file():
        raise InputError("there is no such metabolic model", position=Position(str(path)), remedy="Check the path.")
    try:
        loaded = read_sbml_model(str(path))
    except (cobra.io.sbml.CobraSBMLError, OSError, EOFError, UnicodeDecodeError) as error:
        words = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        where = Position(str(path))
        raise InputError(f"this is no SBML model: {words}", position=where, remedy="Give an SBML file.") from None
    versions = {name: version(name) for name in ("cobra", "optlang", "seedtrain", "swiglpk")}
    versions |= {"model": str(loaded.id), "model_sha256": digest_file(path), "solver": "glpk"}
    return Metabolism(loaded, versions)
