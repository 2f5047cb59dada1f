"""Many runs of one recipe: percentiles over time and at the end, what happened how often, and what moves it most."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from seedtrain.base import InputError, Progress, silent
from seedtrain.base import translate as _
from seedtrain.base import translate as in_words  # for texts that an ensemble carries
from seedtrain.program._compare import recipe_in_vessel
from seedtrain.simulation import ensemble_percentiles, ensemble_reason, simulate_ensemble

Floats = NDArray[np.float64]

LEVELS: Final = (5.0, 25.0, 50.0, 75.0, 95.0)
FEWEST: Final = 30
"""Runs from which on it is told what moves the result: fewer show chance."""
FOREMOST: Final = 5
_DRAWN: Final = ("DCW", "P", "S", "A", "DO_percent", "OUR", "V")


@dataclass(frozen=True)
class Ensemble:
    """`n` runs of one recipe; `dataset` is what `simulate_ensemble` returns."""

    dataset: Any
    file: Path | None = None

    @property
    def good(self) -> NDArray[np.bool_]:
        """Which runs came to their end."""
        return np.asarray(self.dataset["status"].values == 0)

    @property
    def origin(self) -> str:
        """What every row of a table carries."""
        unverified = self.dataset.attrs["culture_status"] != "verified"
        return "simulated, unverified culture" if unverified else "simulated"

    @property
    def names(self) -> list[str]:
        """The variables that were kept."""
        return [name for name in self.dataset.data_vars if f"final_{name}" in self.dataset.data_vars]

    def finals(self) -> dict[str, tuple[Floats, str, str]]:
        """Percentiles at the end, by name, with unit and words; `duration` is in h."""
        found: dict[str, tuple[Floats, str, str]] = {}
        if not self.good.any():
            return found
        for name in self.names:
            attributes = self.dataset[name].attrs
            values = self.dataset[f"final_{name}"].values[self.good]
            found[name] = (np.percentile(values, LEVELS), attributes["units"], attributes["long_name"])
        ends = self.dataset["stretch_end"].values[self.good, -1]
        return found | {"duration": (np.percentile(ends, LEVELS), "h", "duration")}

    def endings(self) -> list[tuple[str, int]]:
        """(reason, how many) of the runs that did not come to their end."""
        status = self.dataset["status"].values
        codes, first, counts = np.unique(status, return_index=True, return_counts=True)
        rows = zip(codes.tolist(), first.tolist(), counts.tolist(), strict=True)
        return [(ensemble_reason(self.dataset, at), count) for code, at, count in rows if code]

    def events(self) -> list[tuple[str, str, float]]:
        """(name, words, share of the runs that came to their end) of what happened at least once."""
        if "event" not in self.dataset.dims or not self.good.any():
            return []
        counts = self.dataset["event_count"].values[self.good] > 0
        words = self.dataset["event_words"].values.tolist()
        shares = counts.mean(axis=0).tolist()
        names = self.dataset["event"].values.tolist()
        return [row for row in zip(names, words, shares, strict=True) if row[2] > 0]

    def movers(self, name: str) -> list[tuple[str, float]]:
        """The parameters that go along most with the end of variable `name`: Spearman's rank correlation."""
        if self.good.sum() < FEWEST or "parameter" not in self.dataset.dims:
            return []
        values = _ranks(self.dataset[f"final_{name}"].values[self.good])
        drawn = self.dataset["parameters"].values[self.good]
        if values.std() == 0:
            return []
        found = []
        for at, parameter in enumerate(self.dataset["parameter"].values.tolist()):
            ranks = _ranks(drawn[:, at])
            if ranks.std() > 0:
                found.append((parameter, float(np.corrcoef(ranks, values)[0, 1])))
        return sorted(found, key=lambda row: -abs(row[1]))[:FOREMOST]

    def result(self) -> str:
        """The variable that matters most: the product where there is one, else dry cell weight, else the first."""
        made = (name for name in ("P", "DCW") if name in self.names and self.dataset[f"final_{name}"].values.any())
        return next(made, self.names[0])

    def to_data(self) -> dict[str, Any]:
        """JSON-ready."""
        finals = {
            name: {"unit": unit, "words": words, "percentiles": dict(zip(map(str, LEVELS), row.tolist(), strict=True))}
            for name, (row, unit, words) in self.finals().items()
        }
        attributes = self.dataset.attrs
        return {
            **{name: attributes[name] for name in ("culture", "culture_status", "vessel", "recipe_digest", "origin")},
            "runs": int(self.good.size),
            "finished": int(self.good.sum()),
            "seed": int(attributes["seed"]),
            "file": None if self.file is None else str(self.file),
            "endings": dict(self.endings()),
            "final": finals,
            "events": [{"name": name, "words": words, "share": share} for name, words, share in self.events()],
            "movers": {self.result(): dict(self.movers(self.result()))} if self.good.any() else {},
        }

    def words(self) -> str:
        """For people."""
        attributes = self.dataset.attrs
        head = _("{runs} runs of {culture} in {vessel}, simulated, seed {seed}")
        lines = [
            head.format(
                runs=self.good.size, culture=attributes["culture"], vessel=attributes["vessel"], seed=attributes["seed"]
            )
        ]
        if attributes["culture_status"] != "verified":
            lines.append(
                _("The culture is unverified: no published number was reproduced with it (docs/validation.md).")
            )
        lines += [f"  {count} x {in_words(reason)}" for reason, count in self.endings()]
        if not self.good.any():
            return "\n".join(lines)
        columns = "".join(f"{level:>10g} %" for level in LEVELS)
        lines.append(f"  {_('at the end'):<12}{columns}")
        for name, (row, unit, words) in self.finals().items():
            lines.append(
                f"  {name:<12}" + "".join(f"{value:>12.4g}" for value in row) + f"  {unit:<9} {in_words(words)}"
            )
        for name, words, share in self.events():
            lines.append(f"  {100 * share:5.1f} %  {name}: {in_words(words)}")
        result = self.result()
        for parameter, along in self.movers(result):
            words = _("{parameter} goes along with {result}: rank correlation {along}")
            lines.append("  " + words.format(parameter=parameter, result=result, along=f"{along:+.2f}"))
        return "\n".join(lines)

    def to_csv(self) -> str:
        """One row a time: percentiles of every variable over the runs that came to their end."""
        stream = io.StringIO()
        writer = csv.writer(stream, lineterminator="\n")
        names = self.names
        heads = [f"{name} [{self.dataset[name].attrs['units']}] {level:g} %" for name in names for level in LEVELS]
        writer.writerow(["time [h]", *heads, "origin"])
        columns = np.concatenate([ensemble_percentiles(self.dataset, name, LEVELS) for name in names])
        for at, time in enumerate(self.dataset["time"].values.tolist()):
            writer.writerow([repr(time), *(repr(value) for value in columns[:, at].tolist()), self.origin])
        return stream.getvalue()

    def drawing(self) -> str:
        """A fan chart as SVG: the median in the middle half of the runs, and in nine of ten."""
        from seedtrain.report import Line, LinePlot, Panel, draw

        time, panels = self.dataset["time"].values, []
        for name in (name for name in _DRAWN if name in self.names):
            low, quarter, middle, most, high = ensemble_percentiles(self.dataset, name, LEVELS)
            attributes = self.dataset[name].attrs
            title = f"{in_words(attributes['long_name'])}, {attributes['units']}"
            lines = [
                Line(_("median, and 5 .. 95 % of the runs"), time, middle, colour=0, low=low, high=high),
                Line(_("25 .. 75 % of the runs"), time, middle, colour=0, low=quarter, high=most),
            ]
            panels.append(Panel(title, lines, height=0.7))
        if not panels:
            raise InputError("none of what was kept is drawn", remedy="Keep DCW, P, S, A, DO_percent, OUR or V.")
        alt = _("Percentiles over {runs} runs of {culture}").format(
            runs=int(self.good.sum()), culture=self.dataset.attrs["culture"]
        )
        figure = LinePlot(alt=alt, x_title=_("time since inoculation, h"), panels=panels)
        unverified = self.dataset.attrs["culture_status"] != "verified"
        return draw(figure, _("simulated, unverified culture") if unverified else _("simulated")).svg


def simulate_recipe_ensemble(
    path: Path,
    *,
    n: int,
    seed: int = 0,
    spread: float | None = None,
    vary: Iterable[str] = (),
    plant: Path | None = None,
    vessel: str | None = None,
    culture: str | None = None,
    to: Path | None = None,
    scheduler: str | None = None,
    progress: Progress = silent,
) -> Ensemble:
    """`n` runs of a recipe's production with values that vary; vessel and culture as in `simulate_recipe`.

    - `spread`: part of each parameter of the culture (0.2 for +/- 20 %); its file's ranges where left out.
    - `vary`: texts such as "q_S_max=0.5..0.7", "feed_factor=0.9..1.1" or
      "production/growth/fed-batch:growth_rate=0.1..0.2", instead of `spread`.
    - `to`: a netCDF file that the runs are streamed to. `scheduler`: address of a Dask scheduler to run on.
    """
    ranges = dict(_range(text) for text in vary)
    grown, tank, recipe = recipe_in_vessel(path, plant=plant, vessel=vessel, culture=culture, progress=progress)
    found = simulate_ensemble(
        grown,
        tank,
        recipe,
        n=n,
        seed=seed,
        spread=spread,
        vary=ranges or None,
        unit_procedure=recipe.production.name,
        to=to,
        executor=scheduler,
        progress=progress,
    )
    return Ensemble(found, to)


def _range(text: str) -> tuple[str, tuple[float, float]]:
    name, equals, numbers = text.rpartition("=")
    low, dots, high = numbers.partition("..")
    try:
        if equals and dots and name.strip():
            return name.strip(), (float(low), float(high))
    except ValueError:
        pass
    raise InputError(f"{text!r} gives no range", remedy="Write q_S_max=0.5..0.7, in the value's own unit.")


def _ranks(values: Floats) -> Floats:
    """Ranks, ties shared."""
    from scipy.stats import rankdata

    return np.asarray(rankdata(values))
