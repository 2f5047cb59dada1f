"""The names of what costs and what is emitted, as people read them: those of the shipped factor table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from seedtrain.base import translate as _

_NAMES: Final[Mapping[str, Callable[[], str]]] = {
    "water": lambda: _("water"),
    "glucose": lambda: _("glucose"),
    "soy-peptone": lambda: _("soy-peptone"),
    "mineral-salts": lambda: _("mineral-salts"),
    "antifoam": lambda: _("antifoam"),
    "ammonia-water": lambda: _("ammonia-water"),
    "iptg": lambda: _("iptg"),
    "buffer-salts": lambda: _("buffer-salts"),
    "acetic-acid": lambda: _("acetic-acid"),
    "detergent": lambda: _("detergent"),
    "sodium-hydroxide": lambda: _("sodium-hydroxide"),
    "working-cell-bank": lambda: _("working-cell-bank"),
    "yeast-extract": lambda: _("yeast-extract"),
    "glycerol": lambda: _("glycerol"),
    "corn-steep-liquor": lambda: _("corn-steep-liquor"),
    "sulfuric-acid": lambda: _("sulfuric-acid"),
    "phosphoric-acid": lambda: _("phosphoric-acid"),
    "ethanol": lambda: _("ethanol"),
    "cation-exchange-resin": lambda: _("cation-exchange-resin"),
    "anion-exchange-resin": lambda: _("anion-exchange-resin"),
    "ultrafiltration-membrane": lambda: _("ultrafiltration-membrane"),
    "depth-filter": lambda: _("depth-filter"),
    "sterile-filter": lambda: _("sterile-filter"),
    "container": lambda: _("container"),
    "bottle": lambda: _("bottle"),
    "culture-bag": lambda: _("culture-bag"),
    "sundries": lambda: _("sundries"),
    "electricity": lambda: _("electricity"),
    "photovoltaic-electricity": lambda: _("photovoltaic-electricity"),
    "stored-electricity": lambda: _("stored-electricity"),
    "oxygen": lambda: _("pure oxygen"),
    "steam": lambda: _("steam"),
    "purified-water": lambda: _("purified-water"),
    "operator": lambda: _("operator"),
    "release-test": lambda: _("release-test"),
    "in-process-test": lambda: _("in-process-test"),
    "environmental-monitoring": lambda: _("environmental-monitoring"),
    "wastewater": lambda: _("wastewater"),
    "solid-biowaste": lambda: _("solid-biowaste"),
    "stirred-tank": lambda: _("stirred-tank"),
    "airlift": lambda: _("airlift"),
    "rocking-platform": lambda: _("rocking-platform"),
    "shake-flask-incubator": lambda: _("shake-flask-incubator"),
    "tank": lambda: _("tank"),
    "centrifuge": lambda: _("centrifuge"),
    "homogeniser": lambda: _("homogeniser"),
    "filter-housing": lambda: _("filter-housing"),
    "chromatography-skid": lambda: _("chromatography-skid"),
    "ultrafiltration-skid": lambda: _("ultrafiltration-skid"),
    "freeze-dryer": lambda: _("freeze-dryer"),
    "filling-line": lambda: _("filling-line"),
    "cleanroom": lambda: _("cleanroom"),
    "operating_days": lambda: _("operating days"),
    "batch_success": lambda: _("batch success"),
    "vessel_turnaround": lambda: _("vessel turnaround"),
    "suite_turnaround": lambda: _("suite turnaround"),
    "chiller_performance": lambda: _("chiller performance"),
    "air_electricity": lambda: _("air electricity"),
    "incubator_power": lambda: _("incubator power"),
    "sip_steam": lambda: _("sip steam"),
    "medium_steam": lambda: _("medium steam"),
    "kill_steam": lambda: _("kill steam"),
    "cip_water": lambda: _("cip water"),
    "cip_alkali": lambda: _("cip alkali"),
    "cleanroom_area": lambda: _("cleanroom area"),
    "cleanroom_power": lambda: _("cleanroom power"),
    "installation_factor": lambda: _("installation factor"),
    "annual_charge": lambda: _("annual charge"),
    "crew_culture": lambda: _("crew culture"),
    "crew_downstream": lambda: _("crew downstream"),
    "crew_drying": lambda: _("crew drying"),
    "crew_filling": lambda: _("crew filling"),
    "setup_hours": lambda: _("setup hours"),
    "release_hours": lambda: _("release hours"),
}
_KINDS: Final[Mapping[str, Callable[[], str]]] = {
    "price": lambda: _("{item}.price"),
    "carbon": lambda: _("{item}.carbon"),
    "life": lambda: _("{item}.life"),
}


def factor_words(key: str) -> str:
    """An item of a factor table, a number of one ("steam.price") or a parameter of the plant, as people read it.

    English keeps the table's own keys, so that they can be found there; what the shipped table has not stays as it is.
    """
    item, dot, kind = key.rpartition(".")
    if dot and kind in _KINDS:
        return _KINDS[kind]().format(item=factor_words(item))
    found = _NAMES.get(key)
    return found() if found else key
