"""What the tests of the program share."""

import pytest

import seedtrain.report
from seedtrain.report import page_digest


@pytest.fixture
def undrawn(monkeypatch) -> None:
    """Dossiers whose page is made but not drawn, for tests of which it is not the subject: drawing takes seconds."""
    monkeypatch.setattr(seedtrain.report, "render_html", page_digest)
    monkeypatch.setattr(seedtrain.report, "render_pdf", lambda page: page_digest(page).encode())
