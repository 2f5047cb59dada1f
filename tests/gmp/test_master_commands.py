"""`seedtrain recipe submit` for a vessel of the plant: the digest is that of the batch which the plant would run."""

from seedtrain.development import scale
from seedtrain.gmp import approval
from seedtrain.program import read_plant, recipe_in_vessel
from seedtrain.recipe import read_recipe
from seedtrain.record import open_ledger
from tests.gmp_scenarios.journey import Journey
from tests.worked import COLLAGEN


def test_a_recipe_is_submitted_for_a_vessel_of_the_plant(tmp_path):
    journey = Journey(tmp_path)
    people = journey.crew(author="author")
    file = COLLAGEN / "recipe.yaml"
    at_pilot = journey.done(people["author"], "recipe", "submit", file, "--at", "PILOT-200")
    as_written = journey.done(people["author"], "recipe", "submit", file)
    assert (at_pilot["unit"], as_written["unit"]) == ("PILOT-200", "BENCH-1L")
    master = read_recipe(file)
    vessels = read_plant(COLLAGEN / "plant.yaml").vessels
    culture = recipe_in_vessel(file)[0]
    (found,) = scale(culture, vessels, master, targets=["PILOT-200"], keep="power_per_volume")
    assert at_pilot["digest"] == found.control.digest
    with open_ledger(journey.record) as ledger:
        stored = approval(ledger, at_pilot["digest"])
        assert stored is not None
        assert stored.control is not None
        assert stored.control.digest == found.control.digest
        assert stored.event.payload["master_digest"] == master.digest
    assert journey.signed(people["author"], "recipe", "submit", file, "--at", "NOWHERE-1").code == 2
