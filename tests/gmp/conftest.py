"""A prepared ledger for each test."""

import pytest

from tests.gmp.made import Made


@pytest.fixture
def made(tmp_path):
    found = Made.in_folder(tmp_path)
    yield found
    found.ledger.close()
