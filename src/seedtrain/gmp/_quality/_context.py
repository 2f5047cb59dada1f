"""How a test was made."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class TestContext:
    """How a test was made (21 CFR 211.194(a)): the method's version, the instrument, and its system suitability.

    - `suitable`: false makes every result of the test invalid. `suitability`: what was found, in words.
    - `analyst`: who tested, where another recorded.
    """

    __test__ = False  # no test of pytest's

    method_version: str = ""
    instrument: str = ""
    suitable: bool = True
    suitability: str = ""
    analyst: str = ""

    def to_data(self) -> dict[str, object]:
        """JSON-ready, as `result.recorded` holds it; what is not stated is left out."""
        stated = {
            "method_version": self.method_version,
            "instrument": self.instrument,
            "suitability": self.suitability,
            "analyst": self.analyst,
        }
        found: dict[str, object] = {name: text for name, text in stated.items() if text}
        return found | {"suitable": self.suitable} if found or not self.suitable else found
