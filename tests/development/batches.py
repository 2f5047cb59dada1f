"""A small batch of made-up amounts: economics is tested on its own, without a simulation."""

from __future__ import annotations

from seedtrain.development._schedule import Occupancy
from seedtrain.development._use import BATCHES, Inventory, Use

YEARLY = (("installation_factor", 1), ("annual_charge", 1), (BATCHES, -1))


def inventory(product: float = 20_000.0, scale: float = 1.0) -> Inventory:
    """20 kg of product with one use of every category."""
    return Inventory(
        product=product,
        uses=(
            Use("glucose", 1000.0 * scale, "kg", "production/growth/fed-batch"),
            Use("iptg", 2_000.0 * scale, "g", "production/induction/induce"),
            Use("cation-exchange-resin", 1500.0 * scale, "L", "capture/cation-exchange/load"),
            Use("container", 200_000.0 * scale, "", "filling/fill/fill"),
            Use("electricity", 4_000.0 * scale, "kWh", "production/growth/fed-batch"),
            Use("electricity", 8_000.0 * scale, "kWh", "production", (("chiller_performance", -1),)),
            Use("steam", 20_000.0 * scale, "kg", "production", (("sip_steam", 1),)),
            Use("operator", 40.0 * scale, "h", "production", (("crew_culture", 1),)),
            Use("release-test", 11.0, "", "release"),
            Use("wastewater", 30.0 * scale, "m3", "capture"),
            Use("stirred-tank", 20.0 * scale, "m3", "production", YEARLY),
        ),
        occupancies=(
            Occupancy("production", 36.0, "vessel_turnaround"),
            Occupancy("drying", 60.0, "suite_turnaround", 2),
        ),
        lead_time=150.0,
        biogenic_co2=900.0,
    )
