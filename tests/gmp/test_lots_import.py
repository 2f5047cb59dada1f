"""Lots from CSV files: whole or not at all, every fault at its place, any byte is a file or a refusal."""

import csv
import io
import re
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seedtrain.base import InputError, SeedtrainError
from seedtrain.gmp import import_lots, lot_book, received_lots
from seedtrain.gmp._lots._csv import read_csv
from seedtrain.record import enrol_person, open_ledger, verify

NAMES = "lot,material,quantity,unit,supplier,expiry,retest,contains,certificates,containers,gtin,storage,location"
ROWS = [
    NAMES.split(","),
    ["S-1", "sugar", "25", "kg", "Acme", "2028-01-31", "", "glucose=plant", "COA-1; H-9", "5", "9506000134352", "", ""],
    ["P-1", "peptone", "2.5 kg", "", 'Acme, "Bio"', "", "2027-06-01", "peptone=bovine; salt=", "", "", "", "cold", ""],
    ["V-1", "vial", "500", "", "Glass", "2030-01-01", "", "", "", "", "", "", "B-1"],
]


def written(rows, delimiter=",", end="\n"):
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator=end).writerows(rows)
    return out.getvalue()


GOOD = written(ROWS)


@pytest.fixture
def store(tmp_path):
    with open_ledger(tmp_path / "record.db") as ledger:
        person = enrol_person(ledger, "Store", ["warehouse"], scripted=True)

        def bring(content, **more):
            path = tmp_path / "lots.csv"
            path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
            return import_lots(ledger, path, person, **more)

        yield ledger, bring


def faults(bring, content, **more):
    """The places and messages of a refused file."""
    with pytest.raises(SeedtrainError) as caught:
        bring(content, **more)
    return [(str(part.position).rpartition("/")[2], part.message, part.remedy) for part in caught.value.parts]


def test_what_the_file_states_is_received_in_quarantine_once(store):
    ledger, bring = store
    made = bring(GOOD)
    assert (made.fresh, made.known) == (("S-1", "P-1", "V-1"), ())
    head = ledger.head
    assert bring(GOOD) == type(made)((), ("S-1", "P-1", "V-1"))
    assert ledger.head == head
    more = GOOD + "S-2,sugar,1,kg,Acme,2028-01-31,,,,,,,\n"
    assert bring(more).fresh == ("S-2",)
    with lot_book(ledger) as book:
        sugar, peptone, vial = (book.entry(name) for name in ("S-1", "P-1", "V-1"))
    assert {item.decided for item in (sugar, peptone, vial)} == {"quarantined"}
    assert sugar.lot is not None
    assert (str(sugar.lot.quantity), sugar.lot.expiry) == ("25 kg", date(2028, 1, 31))
    assert sugar.particulars.certificates == ("COA-1", "H-9")
    assert (sugar.particulars.containers, sugar.particulars.gtin) == (5, "09506000134352")
    assert peptone.lot is not None
    assert peptone.lot.supplier == 'Acme, "Bio"'
    assert peptone.particulars.retest == date(2027, 6, 1)
    assert [(item.name, item.origin) for item in peptone.lot.contains] == [("peptone", "bovine"), ("salt", None)]
    assert verify(ledger.path).verdict == "pass"


@pytest.mark.parametrize(
    ("content", "more"),
    [
        (GOOD.encode("utf-8-sig"), {}),
        (GOOD.encode("utf-16"), {}),
        (GOOD.encode("utf-32"), {}),
        (written(ROWS, end="\r\n").encode(), {}),
        (written(ROWS, end="\r").encode(), {}),
        (written(ROWS, delimiter=";").encode(), {}),
        (written(ROWS, delimiter="\t").encode(), {}),
        (written(ROWS, delimiter="|").encode(), {"delimiter": "|"}),
        (GOOD.replace("Glass", "玻璃").encode("gb18030"), {"encoding": "gb18030"}),
        (GOOD.replace("Glass", "Gläser").encode("cp1252"), {"encoding": "cp1252"}),
        (f"\n\n{GOOD}\n{',' * 12}\n".encode(), {}),
    ],
)
def test_files_as_spreadsheets_write_them_are_read(store, content, more):
    ledger, bring = store
    assert bring(content, **more).fresh == ("S-1", "P-1", "V-1")
    found = received_lots(ledger.events())
    assert found["P-1"].supplier == 'Acme, "Bio"'
    assert found["V-1"].supplier == {"gb18030": "玻璃", "cp1252": "Gläser"}.get(more.get("encoding", ""), "Glass")


def test_own_columns_and_forms_of_dates_are_mapped(store):
    _ledger, bring = store
    text = "Charge;Stoff;Menge;Lieferant;Verfall;Bemerkung\nC-1;Zucker;5 kg;Acme;31.01.2028;x\n"
    columns = {"lot": "Charge", "material": "Stoff", "quantity": "Menge", "supplier": "lieferant", "expiry": "Verfall"}
    assert bring(text, columns=columns, skip=["Bemerkung"], dates="DD.MM.YYYY").fresh == ("C-1",)
    assert faults(bring, text, columns=columns, dates="DD.MM.YYYY")[0][:2] == (
        "lots.csv:1:38",
        "there is no field 'Bemerkung'",
    )
    assert "no field 'Lot'" in faults(bring, text, columns={"Lot": "Charge"})[0][1]
    told = [item[1] for item in faults(bring, text, columns={**columns, "lot": "Charge No"})]
    assert "no column is called 'Charge No'" in told
    assert "no form of a date" in faults(bring, text, columns=columns, skip=["Bemerkung"], dates="DD.MM")[0][1]


def line(**cells):
    base = {"lot": "X", "material": "m", "quantity": "1", "unit": "kg", "supplier": "s", "expiry": "2030-01-01"}
    return written([NAMES.split(","), [{**base, **cells}.get(name, "") for name in NAMES.split(",")]])


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ({"lot": ""}, "lot is missing"),
        ({"material": ""}, "material is missing"),
        ({"quantity": ""}, "quantity is missing"),
        ({"quantity": "-5"}, "must be above 0"),
        ({"quantity": "0"}, "must be above 0"),
        ({"quantity": "1,5"}, "comma in '1,5'"),
        ({"quantity": "1.234,5"}, "comma"),
        ({"quantity": "lots"}, "not a number"),
        ({"quantity": "1e999"}, "finite"),
        ({"quantity": "nan"}, "not a number"),
        ({"quantity": "1.2345678901234567"}, "more than 15 digits"),
        ({"quantity": "5 g"}, "the quantity says g, the column unit says kg"),
        ({"unit": "kilo"}, "kilo"),
        ({"unit": "h"}, "no amount of a material"),
        ({"unit": "degC"}, "no amount of a material"),
        ({"expiry": "31.01.2028"}, "not a date in the form YYYY-MM-DD"),
        ({"expiry": "2028-02-30"}, "not a day of the calendar"),
        ({"expiry": "2028-1-3"}, "not a date"),
        ({"expiry": ""}, "neither expiry nor retest"),
        ({"retest": "2031-01-01"}, "after the expiry"),
        ({"contains": "x=unicorn"}, "origin"),
        ({"containers": "0"}, "number of containers"),
        ({"containers": "2.5"}, "number of containers"),
        ({"gtin": "9506000134353"}, "check digit"),
        ({"storage": "a\nb"}, "cannot be printed"),
        ({"location": "x" * 300}, "300 characters"),
        ({"lot": "a\u202eb"}, "cannot be printed"),
    ],
)
def test_a_faulty_cell_is_shown_at_its_place_with_what_to_do(store, cells, words):
    ledger, bring = store
    head = ledger.head
    content = line(**cells)
    found = [item for item in faults(bring, content) if words in item[1]]
    assert found
    place, _message, remedy = found[0]
    assert remedy
    (name,) = cells
    before = next(csv.reader([content.splitlines()[1]]))[: NAMES.split(",").index(name)]
    assert place == f"lots.csv:2:{len(written([before])) + 1 if before else 1}"
    assert ledger.head == head


def test_every_fault_of_a_file_is_told_at_once_and_nothing_is_received(store):
    ledger, bring = store
    head = ledger.head
    text = GOOD + "S-1,sugar,x,kg,Acme,2028-13-01,,,,,,,\nT,sugar,1,kg,Acme,2028-01-01\n"
    text += 'U,"su"gar,1\n\x07W,a,1,kg,b,,,,,,,,\n'
    found = faults(bring, text)
    assert {place.split(":")[1] for place, _, _ in found} == {"5", "6", "7", "8"}
    said = "\n".join(message for _, message, _ in found)
    for words in ("stands on line 2 too", "'x'", "calendar", "has 6 cells, the head has 13", "quotation marks"):
        assert words in said, said
    assert "control character" in said
    assert ledger.head == head


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "the file is empty"),
        (b"\xef\xbb\xbf", "the file is empty"),
        (b"\n \n", "the file is empty"),
        (NAMES.encode(), "a head and no lot"),
        (GOOD.replace("Acme", "Zürich").encode("cp1252"), "byte 0xfc is not utf-8 text"),
        (GOOD.encode("utf-16")[:-1], "is not utf-16 text"),
        (b"lot,material\n\x00", "control character"),
        (b"lot,material,quantity\nA,b,1 kg\n", "no column holds supplier"),
        (b"lot,lot,material,quantity,supplier,expiry\nA,A,b,1 kg,c,2030-01-01\n", "two columns hold lot"),
        (b"lot,material,quantity,supplier,expirey\nA,b,1 kg,c,2030-01-01\n", "is it expiry"),
    ],
)
def test_files_that_are_none_are_refused_with_their_place(store, content, words):
    ledger, bring = store
    head = ledger.head
    found = faults(bring, content)
    assert any(words in message for _, message, _ in found), found
    assert re.fullmatch(r"lots\.csv:\d+:\d+", found[0][0])
    assert ledger.head == head


def test_a_lot_that_was_received_as_something_else_stops_the_file(store):
    ledger, bring = store
    bring(GOOD)
    head = ledger.head
    changed = GOOD.replace("S-1,sugar,25,", "S-1,sugar,26,") + "N-1,sugar,1,kg,Acme,2028-01-31,,,,,,,\n"
    (found,) = faults(bring, changed)
    assert found[0] == "lots.csv:2:1"
    assert "lot S-1 was received with quantity '25' and not '26'" in found[1]
    assert ledger.head == head


def test_who_may_not_receive_cannot_and_a_missing_file_is_told(tmp_path, store):
    ledger, _bring = store
    operator = enrol_person(ledger, "O", ["operator"], scripted=True)
    with pytest.raises(InputError, match=r"may not do lot\.receive"):
        import_lots(ledger, tmp_path / "lots.csv", operator)
    warehouse = enrol_person(ledger, "Store", ["warehouse"], scripted=True)
    with pytest.raises(InputError, match="no such file"):
        import_lots(ledger, tmp_path / "none.csv", warehouse)
    with pytest.raises(InputError, match="a folder"):
        import_lots(ledger, tmp_path, warehouse)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(st.binary(max_size=200), st.text('lot,;"\n\r \tmaterial1.5kg-', max_size=200).map(str.encode)))
def test_any_bytes_are_lots_or_a_refusal_with_places(store, content):
    ledger, bring = store
    head = ledger.head
    parts = []
    try:
        bring(content)
    except InputError as error:
        parts = [(part.position is not None, bool(part.remedy)) for part in error.parts]
    assert all(all(item) for item in parts)
    assert (ledger.head == head) == bool(parts)


PRINTED = st.characters(min_codepoint=32, max_codepoint=0x2FF, exclude_categories=["Cs", "Cc", "Zs", "Cf"])
CELLS = st.text(PRINTED, max_size=12)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.lists(CELLS, min_size=3, max_size=3), min_size=1, max_size=5),
    st.sampled_from([",", ";", "\t"]),
    st.sampled_from(["\n", "\r\n"]),
)
def test_cells_are_those_of_pythons_own_reader(rows, delimiter, end):
    text = written([["a", "b", "c"], *rows], delimiter, end)
    table = read_csv(text.encode(), "x.csv", delimiter=delimiter)
    assert not table.faults
    expected = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    assert [[cell.text for cell in row] for row in (table.head, *table.rows)] == [row for row in expected if any(row)]
    lines = text.split(end)
    for row in table.rows:
        for cell in row:
            quoted = '"' + cell.text.replace('"', '""')
            assert lines[cell.line - 1][cell.column - 1 :].startswith((cell.text, quoted))
