"""What the commands of the record say: no password of a server, and what is missing by name."""

import pytest

from seedtrain.base import InputError
from seedtrain.cli._record import _without_password
from seedtrain.record import enrol_person, open_ledger


@pytest.mark.parametrize("password", ["s3cret", "s3:cr@t", "p%40ss/word"])
def test_a_server_s_password_is_not_said(password):
    url = f"postgresql://ledger:{password}@127.0.0.1:5432/led?ledger=main"
    assert _without_password(url) == "postgresql://ledger@127.0.0.1:5432/led?ledger=main"
    for plain in ("postgresql://ledger@127.0.0.1/led", "record.db", "/srv/a:b@c/record.db"):
        assert _without_password(plain) == plain


def test_a_person_without_a_name_is_told_so(tmp_path):
    with (
        open_ledger(tmp_path / "record.db") as ledger,
        pytest.raises(InputError, match="a person needs a name and a role, not '' and"),
    ):
        enrol_person(ledger, "", ["operator"], scripted=True)
