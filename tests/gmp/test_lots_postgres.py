"""Lots on a ledger in PostgreSQL: the same commands, the same recall."""

from datetime import date

import pytest

from seedtrain.base import InputError
from seedtrain.gmp import (
    Part,
    consume_lot,
    hold_downstream,
    lot_faults,
    recall_list,
    receive_lots,
    ship_lot,
    split_lot,
)
from seedtrain.record import enrol_person, open_ledger, verify
from tests.gmp.made import lot
from tests.record.postgres import server, url


def lived(ledger):
    """A short life of a lot; what its recall says."""
    person = enrol_person(ledger, "Many", ["quality_control", "warehouse", "operator", "qa"], scripted=True)
    receive_lots(ledger, [lot("S", "sugar", quantity="10 kg")], person)
    split_lot(ledger, "S", [Part("S-1", "2", "kg")], person)
    consume_lot(ledger, "S-1", "0.5", "kg", "B-1", person)
    ship_lot(ledger, "S-1", "100", "g", "Clinic", person, document="DN-1")
    hold_downstream(ledger, "S", "doubt", person)
    with pytest.raises(InputError, match="on hold"):
        consume_lot(ledger, "S-1", "1", "g", "B-2", person)
    assert lot_faults(ledger, "S-1", date(2027, 1, 1))
    return recall_list(ledger, "S")


def test_a_ledger_in_postgresql_gives_the_same_recall(tmp_path):
    with open_ledger(tmp_path / "record.db") as ledger:
        expected = lived(ledger).to_data()
    with server() as port:
        place = url(port, tmp_path, "lots")
        with open_ledger(place) as ledger:
            found = lived(ledger).to_data()
        for item in (*found["downstream"], *expected["downstream"]):
            for shipment in item["shipments"]:
                shipment.pop("at")
        assert found == expected
        assert verify(place).verdict == "pass"
