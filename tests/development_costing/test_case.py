"""A case of one's own: what it gives, and every way in which it can be wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import seedtrain.development
from seedtrain.base import InputError, InputErrors, SeedtrainError
from seedtrain.cli._app import main
from seedtrain.development import Assessment, BatchCase, assess, assessment_figures, read_case, read_factors
from seedtrain.development._price_index import CEPCI, restated
from seedtrain.report import draw

CASES = Path(__file__).parents[2] / "examples" / "enzyme"
PUBLISHED = Path(seedtrain.development.__file__).parent / "cases"
ENZYME = (CASES / "case.yaml").read_text()


def written(folder: Path, text: str) -> Path:
    path = folder / "case.yaml"
    path.write_text(text)
    return path


def changed(old: str, new: str) -> str:
    assert old in ENZYME
    return ENZYME.replace(old, new)


def assessed(path: Path) -> Assessment:
    case = read_case(path)
    assert isinstance(case, BatchCase)
    return assess(case, draws=1000)


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as left:
        main(list(arguments))
    return int(left.value.code or 0)


def test_a_case_adds_up() -> None:
    found = assessed(CASES / "case.yaml")
    book = found.economics
    released = 8.0 * 14.0 * 0.7
    assert book.product_per_batch == pytest.approx(1000 * released)
    assert book.schedule.cycle_time == pytest.approx(28.0)  # the seed, not half of the two fermenters
    assert book.schedule.bottleneck == "seed"
    success = read_factors().factor("batch_success").value
    assert book.product_per_year == pytest.approx(released * book.schedule.batches_per_year * success)
    assert found.mix is not None
    assert found.mix.used == pytest.approx(6000.0 * book.schedule.batches_per_year)
    assert found.met == {"cost": False, "carbon": False, "amount": True}
    assert found.price > book.cost.total.value, "a return of 10 % and tax cost more than the yearly charge"
    assert found.flow.value == pytest.approx(0.0, abs=1e-3)
    done = found.levers.performance
    assert done.product_yield == pytest.approx(112.0 / 1100.0)


def test_own_panels_clean_the_electricity_and_only_that() -> None:
    with_own = assessed(CASES / "case.yaml").economics
    path = CASES / "case.yaml"
    case = read_case(path)
    assert isinstance(case, BatchCase)
    plain = assess(BatchCase(**{**vars(case), "own_power": None}), draws=1000).economics
    assert with_own.carbon.total.value < plain.carbon.total.value
    assert with_own.carbon.parts["raw_materials"].value == plain.carbon.parts["raw_materials"].value
    grid = sum(row.value.value for row in with_own.carbon.contributions if row.item == "electricity")
    before = sum(row.value.value for row in plain.carbon.contributions if row.item == "electricity")
    assert grid == pytest.approx(before * 0.6751732816, rel=1e-6)


def test_steps_that_share_a_suite_wait_for_each_other(tmp_path: Path) -> None:
    more = "  - {step: wash tank, suite: cip, hours: 12 h, turnaround: none, start: 64 h}\n"
    more += "  - {step: wash skid, suite: cip, hours: 12 h, turnaround: none, start: 80 h}\nelectricity"
    found = assessed(written(tmp_path, changed("electricity: {photo", more + ": {photo")))
    assert found.timetable.bound == pytest.approx(28.0)
    assert found.economics.schedule.cycle_time == pytest.approx(found.timetable.interval)
    assert found.timetable.interval == pytest.approx(28.0)
    slower = more.replace("12 h", "15 h")
    found = assessed(written(tmp_path, changed("electricity: {photo", slower + ": {photo")))
    assert found.timetable.interval == pytest.approx(31.0)
    assert found.economics.schedule.bottleneck == "steps that share a suite"


def test_a_cleaner_that_all_steps_share_can_be_the_bottleneck(tmp_path: Path) -> None:
    """Its hours in a batch are the turnarounds of all steps; one that has nothing to clean is refused."""
    text = "\n".join(
        line.replace("{step:", "{cleaner: skid, step:") if line.lstrip().startswith("- {step:") else line
        for line in ENZYME.splitlines()
    )
    assert text.count("cleaner: skid") >= 3
    found, plain = assessed(written(tmp_path, text)), assessed(CASES / "case.yaml")
    case = read_case(tmp_path / "case.yaml")
    assert isinstance(case, BatchCase)
    hours = sum(task.until - task.end for task in case.tasks)
    busy = {item.suite: item.hours for item in found.economics.schedule.occupancies}
    assert busy["skid"] == pytest.approx(hours)
    assert found.timetable.interval >= max(hours, plain.timetable.interval)
    assert found.economics.schedule.cycle_time >= found.timetable.interval - 1e-9
    bad = changed("{step: concentration, hours: 10 h}", "{step: c, hours: 10 h, cleaner: skid, turnaround: none}")
    with pytest.raises(SeedtrainError, match="no turnaround is given"):
        read_case(written(tmp_path, bad))


def test_without_a_process_a_batch_has_a_cost_but_no_levers(tmp_path: Path) -> None:
    text = changed("process: {titre: 8 g/L, broth: 14 m3, duration: 40 h, recovery: 70 %}", "released: 78.4 kg")
    found = assessed(written(tmp_path, text))
    assert found.economics.cost.total.value == pytest.approx(assessed(CASES / "case.yaml").economics.cost.total.value)
    assert (found.sensitivities, found.requirements, found.planes) == ({}, (), ())


@pytest.mark.parametrize(
    ("old", "new", "place", "words"),
    [
        ("amount: 1.1 t", "amount: -1.1 t", "6:29", "negative"),
        ("amount: 1.1 t", "amount: 1.1", "6:29", "no unit"),
        ("amount: 80 m2", "amount: 80 kg", "12:", "counted in m2"),
        ("amount: 1.1 t", "amount: 1.1 barrels", "6:29", "barrels"),
        ("item: glucose", "item: unobtainium", "6:12", "unobtainium"),
        ("size: 20 m3", "size: 20 kg", "16:", "counted in L"),
        ("item: ultrafiltration-skid", "item: bottle", "18:", "counted in pieces"),
        ("currency: USD_2025", "currency: EUR_2025", "3:", "mixed currency"),
        ("cost: 200 USD/kg", "cost: 200 EUR_2025/kg", "25:", "EUR_2025"),
        ("cost: 200 USD/kg", "cost: -200 USD/kg", "25:", "negative"),
        ("titre: 8 g/L", "titre: 0 g/L", "4:", "not above 0"),
        ("titre: 8 g/L", "titre: 8", "4:", "has no unit"),
        ("recovery: 70 %", "recovery: 120 %", "4:", "above 100 %"),
        ("hours: 44 h", "hours: 44 kg", "21:", "kg"),
        ("rate: 10 %/year", "rate: 0 %/year", "24:", "rate of return is 0"),
        ("photovoltaics: 500 kW", "photovoltaics: 0 kW", "23:", "0 kW of panels"),
        ("size: 20 m3, count: 2", "size: 20 m3", "16:", "production has 2 units"),
        ("{step: production", "{step: culture", "4:", "no step runs in the suite 'production'"),
        ("grows: product}\nsteps", "grows: moon}\nsteps", "18:", "moon"),
        ("amount: 1.1 t", "amount: 1e308 t", "6:29", "more than any plant has"),
        ("tax: 25 %", "tax: 25 %, loan: {fraction: 200 %, interest: 5 %/year, years: 10}", "24:", "a loan on 2"),
        ("currency: USD_2025", "currency: USD_2025\nfactors: ../factors.yaml", "4:", "there is no file"),
        ("grows: time}", "grows: time, times: {crew_culture: 400}}", "9:", "less than or equal to 3"),
        ("duration: 40 h", "duration: 400 h", "4:", "keep production for 44 h"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, place: str, words: str
) -> None:
    path = written(tmp_path, changed(old, new))
    with pytest.raises(SeedtrainError) as caught:
        read_case(path)
    assert words in str(caught.value)
    assert f"case.yaml:{place}" in str(caught.value)
    assert "remedy" in str(caught.value) or "should be" in str(caught.value)
    assert run("economics", str(path), "-o", str(tmp_path / "out")) == 2
    assert words in capsys.readouterr().err
    assert not (tmp_path / "out").exists(), "nothing half-written"


def test_all_faults_come_at_once(tmp_path: Path) -> None:
    text = changed("amount: 1.1 t", "amount: -1.1 t").replace("item: steam", "item: vapour")
    with pytest.raises(InputErrors) as caught:
        read_case(written(tmp_path, text))
    assert len(caught.value.parts) == 2
    text = changed("titre: 8 g/L", "titre: 8 h").replace("recovery: 70 %", "recovery: 130 %")
    with pytest.raises(InputErrors) as caught:
        read_case(written(tmp_path, text))
    assert [part.message.split(":")[0] for part in caught.value.parts] == ["process.titre", "process.recovery"]


def test_negative_prices_are_refused_in_a_case_too(tmp_path: Path) -> None:
    own = "items:\n  glucose: {price: {value: -1, low: -2, high: 1, unit: USD/kg}}\n"
    with pytest.raises(SeedtrainError, match="negative"):
        read_case(written(tmp_path, ENZYME + own))


def test_own_prices_stand_over_the_shipped_ones_and_old_prices_are_restated(tmp_path: Path) -> None:
    own = """items:
  spray-dryer:
    {category: facility, reference: 100 kg/h, exponent: 0.6, price_year: 2009,
     price: {value: 400000, low: 300000, high: 600000, unit: USD, source: "offer of 2009"}, carbon_excluded: "capital"}
  glucose: {price: {value: 2, low: 1.9, high: 2.1, unit: USD/kg}}
"""
    case = read_case(written(tmp_path, ENZYME + own))
    assert isinstance(case, BatchCase)
    price = case.table.factor("spray-dryer.price")
    assert price.value == pytest.approx(400000 * CEPCI[2023] / CEPCI[2009])
    assert price.low == pytest.approx(300000 * CEPCI[2023] / CEPCI[2009])
    assert "CEPCI from 2009 (522) to 2023 (797.9), the newest there is, for 2025" in price.source
    assert case.table.factor("glucose.price").value == 2
    with pytest.raises(InputError, match="no plant cost index of 1950"):
        restated(1950, 2025)


def test_a_batch_and_a_plant_are_not_one_case(tmp_path: Path) -> None:
    plant = (PUBLISHED / "corn-stover.yaml").read_text()
    both = ENZYME + plant[plant.index("venture:") : plant.index("finance:")]
    with pytest.raises(SeedtrainError, match="not both"):
        read_case(written(tmp_path, both))
    with pytest.raises(SeedtrainError, match="either a batch"):
        read_case(written(tmp_path, "case: nothing\ncurrency: USD_2025\n"))


def test_money_of_another_year_in_a_plant_is_refused(tmp_path: Path) -> None:
    plant = (PUBLISHED / "corn-stover.yaml").read_text().replace("price: 0.212 USD_2007/kg", "price: 0.212 USD_2010/kg")
    with pytest.raises(SeedtrainError, match="USD_2010"):
        read_case(written(tmp_path, plant))


def test_faults_of_terms_prices_amounts_and_targets_are_told_at_once(tmp_path: Path) -> None:
    text = changed("item: glucose, amount: 1.1 t", "item: glucoze, amount: 1.1 t")
    text = text.replace("rate: 10 %/year, life: 15", "rate: 120 %/year, life: 0").replace("USD_2025", "EUR_2025")
    text = text.replace("size: 1 m3", "size: 0 m3")
    with pytest.raises(InputErrors) as refused:
        read_case(written(tmp_path, text))
    told = str(refused.value)
    for words in ("rate of return is 1.2", "life is 0 years", "EUR_2025", "Write glucose if that is meant", "no size"):
        assert words in told


def test_the_lowest_price_by_plain_arithmetic_year_by_year() -> None:
    """Construction at 30, 50 and 20 %, working capital of 15 %, half a year of start-up, ten years straight line."""
    found = assessed(CASES / "case.yaml")
    plant, terms = found.venture, found.finance
    carried = worth = 0.0
    for year in range(-2, terms.life + 1):
        if year <= 0:
            cash = -plant.capital * (0.3, 0.5, 0.2)[year + 2] - (0.15 * plant.capital if year == 0 else 0.0)
        else:
            sales = found.price * plant.output * (0.75 if year == 1 else 1.0)
            cost = plant.fixed + plant.variable * (0.875 if year == 1 else 1.0)
            carried += sales - cost - (plant.capital / 10 if year <= 10 else 0.0)
            tax, carried = (0.25 * carried, 0.0) if carried > 0 else (0.0, carried)
            cash = sales - cost - tax + (0.15 * plant.capital if year == terms.life else 0.0)
        worth += cash / 1.1**year
    assert worth == pytest.approx(0.0, abs=1e-8 * plant.capital)


def test_a_case_with_what_the_inversion_asks_for_costs_the_target(tmp_path: Path) -> None:
    """Titre in the same time: sugar, membranes and their skid grow with it, written out as a case of its own."""
    text = changed("electricity: {photovoltaics: 500 kW, storage: 1 MWh}\n", "")
    (row,) = [
        item
        for item in assessed(written(tmp_path, text)).requirements
        if (item.figure, item.lever) == ("cost", "titre_in_same_time")
    ]
    assert row.required is not None
    grown = row.required / row.present
    for key, value, unit in (("titre", 8, "g/L"), ("amount", 1.1, "t"), ("amount", 80, "m2"), ("size", 80, "m2")):
        assert f"{key}: {value:g} {unit}" in text
        text = text.replace(f"{key}: {value:g} {unit}", f"{key}: {value * grown!r} {unit}")
    assert assessed(written(tmp_path, text)).economics.cost.total.value == pytest.approx(row.target, rel=1e-6)


def test_the_journey_from_a_file_to_a_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    assert run("economics", str(CASES / "case.yaml"), "--draws", "2000", "-o", str(out)) == 0
    text = capsys.readouterr().out
    assert "lowest selling price" in text
    assert "target cost 200: missed" in text
    data = json.loads((out / "economics.json").read_text())
    assert data["met"]["amount"] is True
    assert {file.name for file in out.glob("*.svg")} >= {"timetable.svg", "plane-titre-yield.svg", "cost-drivers.svg"}
    page = (out / "economics.html").read_text()
    assert "First-order Sobol shares" in page
    assert "photovoltaic" in page


def test_the_report_in_chinese_and_the_json_for_machines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(CASES / "case.yaml")
    assert run("economics", path, "--draws", "1000", "--lang", "zh", "-o", str(tmp_path)) == 0
    assert "最低售价" in capsys.readouterr().out
    assert "一阶索博尔份额" in (tmp_path / "economics.html").read_text()
    assert run("economics", path, "--draws", "1000", "--json", "--return", "15 %/year", "--life", "10") == 0
    data = json.loads(capsys.readouterr().out)
    assert data["finance"]["rate"] == pytest.approx(0.15)
    assert run("economics", str(PUBLISHED / "corn-stover.yaml"), "--json") == 0
    assert json.loads(capsys.readouterr().out)["minimum_selling_price"] == pytest.approx(0.6927338, abs=1e-6)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--target", "price=3 USD/kg"], "--target"),
        (["--storage", "1 MWh"], None),
        (["--at", "PLANT-20M3"], "--at with a case"),
        (["--pdf"], "--pdf without --output"),
        (["--draws", "1"], "1 draws"),
        (["--photovoltaics", "5"], "unit"),
    ],
)
def test_options_that_do_not_fit_are_refused(
    options: list[str], words: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = changed("electricity: {photovoltaics: 500 kW, storage: 1 MWh}\n", "")
    assert run("economics", str(written(tmp_path, text)), *options) == 2
    assert (words or "--storage without --photovoltaics") in capsys.readouterr().err


def test_what_is_neither_recipe_nor_case_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("economics", str(CASES.parent / "collagen" / "need.yaml")) == 2
    assert "neither a recipe nor a case" in capsys.readouterr().err
    for missing in (tmp_path, tmp_path / "none.yaml"):
        assert run("economics", str(missing)) == 2
        assert "there is no such" in capsys.readouterr().err


def test_plots_are_the_same_bytes_each_time() -> None:
    first, second = (assessment_figures(assessed(CASES / "case.yaml")) for _ in range(2))
    for name in ("plane-titre-yield", "timetable"):
        assert draw(first[name]).svg == draw(second[name]).svg
