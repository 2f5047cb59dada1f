"""Numbers with units: round trips, dimensions, refusals."""

import math
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from seedtrain.base import InputError, read_document
from seedtrain.quantity import (
    Quantity,
    QuantityError,
    Range,
    convert,
    dimension_words,
    number_text,
    parse,
    parse_range,
    same_dimension,
)

EXAMPLES = Path(__file__).parents[2] / "examples" / "collagen"

FAMILIES = [
    ["g", "kg", "mg", "ug", "ng", "t", "gDCW", "lb"],
    ["L", "mL", "m3", "cm3", "uL"],
    ["s", "min", "h", "d", "week", "year", "ms"],
    ["1/h", "1/min", "1/s", "Hz", "rpm"],
    ["g/L", "kg/m3", "ug/mL", "mg/L", "g/mL"],
    ["M", "mM", "mmol/L", "umol/mL", "mol/m3"],
    ["L/h", "mL/min", "m3/h"],
    ["m/s", "cm/h", "L/m2/h"],
    ["bar", "Pa", "kPa", "MPa", "mbar", "atm"],
    ["W", "kW", "J/s", "MW"],
    ["W/m3", "kW/m3", "W/L"],
    ["J", "kWh", "kJ", "kcal"],
    ["W/m2/K", "kW/m2/K"],
    ["%", "", "mg/g", "ng/mg", "ug/mg"],
    ["EU/mg", "EU/g", "kEU/g"],
    ["USD/kg", "USD_2025/g"],
    ["kg CO2e/kg", "g CO2e/g", "t CO2e/t"],
    ["kDa", "Da", "g/mol", "kg/mol"],
    ["CFU/g", "CFU/mg"],
    ["IU/mL", "IU/L"],
    ["mmol/gDCW/h", "mmol/g/h", "mol/kg/h"],
]
pairs = st.sampled_from(FAMILIES).flatmap(lambda units: st.tuples(st.sampled_from(units), st.sampled_from(units)))
numbers = st.floats(-1e9, 1e9, allow_subnormal=False).filter(lambda x: x == 0 or abs(x) > 1e-9)


@given(numbers, pairs)
def test_there_and_back_is_the_same_number(value, units):
    a, b = units
    assert math.isclose(convert(convert(value, a, b), b, a), value, rel_tol=1e-14)


@given(st.floats(-273.15, 5000), st.sampled_from([("degC", "K"), ("K", "degC")]))
def test_temperatures_keep_their_offset_both_ways(value, units):
    a, b = units
    assert math.isclose(convert(convert(value, a, b), b, a), value, abs_tol=1e-11)
    assert math.isclose(abs(convert(value, a, b) - value), 273.15, rel_tol=1e-12)


@given(numbers, pairs)
@example(1.8, ("mL/h", "mL/h"))
def test_text_round_trips(value, units):
    quantity = Quantity(value, units[0])
    assert parse(str(quantity)) == quantity
    assert str(parse(str(quantity))) == str(quantity)


@given(pairs, st.sampled_from(FAMILIES))
def test_units_convert_inside_their_family_only(units, other):
    assert same_dimension(*units)
    assume(units[0] not in other)
    assert not same_dimension(units[0], other[0])
    with pytest.raises(QuantityError):
        convert(1.0, units[0], other[0])


@pytest.mark.parametrize(
    ("value", "unit", "to", "expected"),
    [
        (37, "degC", "K", 310.15),
        (250, "mL", "L", 0.25),
        (0.045, "m", "mm", 45.0),
        (1, "vvm", "vvm", 1.0),
        (200, "cm/h", "m/s", 2.0 / 3600),
        (120, "L/m2/h", "m/s", 0.12 / 3600),
        (1, "kWh", "MJ", 3.6),
        (1, "atm", "bar", 1.01325),
        (0.5, "EU/mg", "EU/g", 500.0),
        (900, "USD/kg", "USD_2025/g", 0.9),
        (150, "kg CO2e/kg", "g CO2e/kg", 150000.0),
        (10, "kDa", "g/mol", 10000.0),
        (5, "%", "", 0.05),
        (1, "mmol/L", "mM", 1.0),
        (900, "1/min", "Hz", 15.0),
        (1, "cP", "Pa*s", 1e-3),
        (300, "kg/year", "kg/d", 300 / 365.25),
    ],
)
def test_known_conversions(value, unit, to, expected):
    assert convert(value, unit, to) == pytest.approx(expected, rel=1e-15)


SHARED = [unit for family in FAMILIES for unit in family if re.search("[a-z]", unit, re.I)]
# A dalton is a molar mass here, and a mass in pint.
SHARED = [unit for unit in SHARED if not re.search(r"DCW|Da|CO2e|EU|IU|CFU|USD|rpm", unit)]


@pytest.fixture(scope="module")
def pint_registry():
    import pint

    return pint.UnitRegistry(cache_folder=None)


@pytest.mark.parametrize("unit", SHARED)
def test_pint_agrees_where_it_knows_the_unit(unit, pint_registry):
    """pint as an independent judge of every factor that both have."""
    base = pint_registry.Quantity(1.0, re.sub(r"([a-z])(\d)", r"\1**\2", unit)).to_base_units()
    ours = {"kilogram": "kg", "meter": "m", "second": "s", "kelvin": "K", "mole": "mol"}
    powers = [(ours[str(name)], int(power)) for name, power in base.unit_items()]
    above = "*".join(f"{name}{power}" for name, power in powers if power > 0) or "1"
    below = "".join(f"/{name}{-power}" for name, power in powers if power < 0)
    assert convert(1.0, unit, above + below) == pytest.approx(base.magnitude, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "spelling"),
    [
        ("37 °C", "37 degC"),
        ("37 ℃", "37 degC"),
        ("3 µg/mL", "3 ug/mL"),
        ("3 μg/ml", "3 ug/mL"),
        ("5 m²", "5 m2"),
        ("5 m^2", "5 m2"),
        ("5 L/(m2 h)", "5 L/m2/h"),
        ("5 h-1", "5 1/h"),
        ("5 h^-1", "5 1/h"),
        ("5 /h", "5 1/h"),
        ("−5 degC", "-5 degC"),
        ("30 percent", "30 %"),
        ("30%", "30 %"),
        ("５ ％", "5 %"),
        ("4e-9 m/s", "4e-09 m/s"),
        ("900 USD/kg", "900 USD_2025/kg"),
        ("150 kg CO2eq/kg", "150 kg CO2e/kg"),
        ("  1.50   kW h", "1.5 kW*h"),
        ("3", "3"),
        ("2 inch", "2 inch"),
    ],
)
def test_one_normal_spelling(text, spelling):
    assert str(parse(text)) == spelling
    assert parse(spelling) == parse(text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("5 U/mL", "'U'.*ambiguous.*assay"),
        ("5 ppm", "'ppm'.*ambiguous"),
        ("5 Mg", "'Mg'.*ambiguous"),
        ("5 OD", "wavelength"),
        ("5 C", "Celsius"),
        ("5 A", "absorbance"),
        ("5 degF", "Fahrenheit"),
        ("5 gal", "imperial"),
        ("5 ton", "metric"),
        ("5 EUR", "year"),
        ("5 $", "year"),
        ("5 ¥", "yuan or yen"),
        ("5 barg", "gauge"),
        ("5 CO2e", "mass of the gas"),
        ("5 slpm", "standard conditions"),
        ("5 W/m2/degC", "zero is arbitrary"),
        ("5 degC2", "zero is arbitrary"),
        ("5 mol/L h", "two ways"),
        ("5 J/kg*K", "two ways"),
        ("5 KG", "Did you mean 'kg'"),
        ("5 gl", "no unit 'gl'"),
        ("5 kmin", "no unit 'kmin'"),
        ("5 kg//L", "cannot be read"),
        ("5 kg/", "not finished"),
        ("5 (kg", "not finished"),
        ("5 kg)", "wrong place"),
        ("5 m99", "out of 1"),
        ("1,5 g", "comma"),
        ("1,000 g", "comma"),
        ("1 000 g", "cannot be read"),
        ("g", "not a number"),
        ("", "not a number"),
        ("nan g", "not a number"),
        ("inf g", "not a number"),
        ("1e999 g", "not a finite"),
        ("5.5.5 g", "not a number"),
        ("0x10 g", "cannot be read"),
        ("5 g; rm", "no unit|cannot be read"),
    ],
)
def test_refusals_say_why_and_what_to_write(text, why):
    with pytest.raises(QuantityError) as caught:
        parse(text)
    assert re.search(why, str(caught.value))
    assert caught.value.remedy
    assert isinstance(caught.value, InputError)
    assert isinstance(caught.value, ValueError)


def test_endotoxin_units_are_no_exa_enzyme_units():
    assert dimension_words("EU/mL") == "endotoxin concentration"
    with pytest.raises(QuantityError, match="endotoxin concentration, not a concentration"):
        convert(1.0, "EU/mL", "IU/mL".replace("IU", "g"))
    with pytest.raises(QuantityError):
        convert(1.0, "EU/mL", "IU/mL")


@pytest.mark.parametrize("unit", ["1/min", "m3/m3/min", "Hz"])
def test_vvm_is_no_plain_rate(unit):
    with pytest.raises(QuantityError, match="not an aeration"):
        parse(f"1 {unit}", like="vvm")


def test_money_of_two_years_never_converts_silently():
    with pytest.raises(QuantityError, match="different currencies or years"):
        convert(1.0, "USD_2018/kg", "USD/kg")
    with pytest.raises(QuantityError, match="different currencies or years"):
        convert(1.0, "EUR_2025", "USD_2025")
    with pytest.raises(QuantityError, match="money of 2025, not a mass"):
        convert(1.0, "USD", "kg")


def test_the_message_names_both_dimensions_and_an_example():
    with pytest.raises(QuantityError) as caught:
        parse("5 g/L", like="L/h")
    assert caught.value.message == "'g/L' is a concentration, not a flow (like L/h)"


@pytest.mark.parametrize(("text", "like"), [("5", "L"), ("0.3", "%"), ("7", "ng/mg")])
def test_a_bare_number_does_where_a_unit_is_wanted_is_refused(text, like):
    with pytest.raises(QuantityError, match="has no unit"):
        parse(text, like=like)


def test_a_bare_number_is_one_where_one_is_wanted():
    assert parse("12", like="") == Quantity(12.0, "")
    assert parse("50 %", like="").magnitude("") == 0.5


@pytest.mark.parametrize("unit", ["g/L", "L/h", "1/h", "EU/mg", "W/m2/K", "L/m2/h", "vvm", "mmol/L/h", "USD/kg", "NTU"])
def test_common_dimensions_have_words(unit):
    assert not dimension_words(unit).startswith("quantity of dimension")


def test_rare_dimensions_are_spelled_out():
    assert dimension_words("g/h2") == "quantity of dimension mass/time2"


@given(numbers, numbers, st.sampled_from([unit for family in FAMILIES for unit in family]))
def test_ranges_round_trip_and_hold_their_ends(a, b, unit):
    low, high = sorted((a, b))
    found = Range(Quantity(low, unit), Quantity(high, unit))
    assert parse_range(str(found)) == found
    assert found.contains(Quantity(low, unit))
    assert found.contains(Quantity(high, unit))
    assert not found.contains(Quantity(high + abs(high) + 1, unit))
    for half in (Range(found.low, None), Range(None, found.high)):
        assert parse_range(str(half)) == half


@pytest.mark.parametrize(
    ("text", "low", "high", "unit"),
    [
        ("36 .. 38 degC", 36, 38, "degC"),
        ("0.1 .. 2 vvm", 0.1, 2, "vvm"),
        ("0.3 L .. 800 mL", 0.3, 0.8, "L"),
        (">= 95 %", 95, math.inf, "%"),
        ("≤ 0.5 EU/mg", -math.inf, 0.5, "EU/mg"),
        ("-5..-3 degC", -5, -3, "degC"),
        ("10 .. 15", 10, 15, ""),
        ("= 5 mg", 5, 5, "mg"),
    ],
)
def test_ranges_as_they_are_written(text, low, high, unit):
    assert parse_range(text).bounds(unit) == pytest.approx((low, high))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("5 .. 3 g", "ends below"),
        ("1 L .. 900 mL", "ends below"),
        ("5 g", "not a range"),
        ("< 5 g", "leaves out"),
        ("3...5 g", "too many dots"),
        ("3…5 g", "too many dots"),
        ("3 kg .. 5 L", "starts as a mass and ends as a volume"),
        (".. 5 g", "not a number"),
        ("3 ..", "not a number"),
        (">= conforms", "not a number"),
    ],
)
def test_wrong_ranges_are_refused(text, why):
    with pytest.raises(QuantityError, match=why):
        parse_range(text)


def test_a_range_without_ends_is_none():
    with pytest.raises(QuantityError, match="at least one end"):
        Range(None, None)


def test_a_range_across_units_compares_in_one():
    assert parse_range("0.3 .. 0.8 L").contains(parse("500 mL"))
    assert not parse_range("0.3 .. 0.8 L").contains(parse("801 mL"))
    with pytest.raises(QuantityError):
        parse_range("0.3 .. 0.8 L").contains(parse("1 g"))


def test_every_value_of_the_example_is_understood():
    """What looks like a quantity in the worked example parses, and prints back to the same."""
    seen = 0
    for name in ("need", "plant", "recipe"):
        for text in _scalars(read_document(EXAMPLES / f"{name}.yaml").data):
            words = len(text.split())
            if re.match(r"-?[\d.e-]+ \.\. ", text):
                assert parse_range(str(parse_range(text))) == parse_range(text)
            elif re.match(r"-?\d+[\d.e-]*( |$)", text) and words <= 3 and not re.match(r"\d{4}-", text):
                assert parse(str(parse(text))) == parse(text)
            else:
                continue
            seen += 1
    assert seen > 150


def _scalars(data):
    if isinstance(data, str):
        yield data
    for item in data.values() if isinstance(data, dict) else data if isinstance(data, list) else ():
        yield from _scalars(item)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_number_text_is_exact(value):
    assert float(number_text(value)) == value


@given(st.text(max_size=30))
def test_any_text_is_a_quantity_or_a_typed_refusal(text):
    for read in (parse, parse_range):
        try:
            found = read(text)
        except QuantityError as error:
            assert error.message  # noqa: PT017 - the text decides which of the two it is
        else:
            assert read(str(found)) == found


def test_common_units_need_no_pint():
    code = (
        "import sys; from seedtrain.quantity import parse; "
        "parse('0.5 EU/mg'); parse('300 W/m2/K'); parse('150 kg CO2e/kg'); print('pint' in sys.modules)"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "False"
