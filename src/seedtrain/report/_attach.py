"""A file that travels inside a PDF (ISO 19005-3, section 6.8: any file may, with what it is to the document)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Relationship = Literal["source", "data", "alternative", "supplement"]


@dataclass(frozen=True)
class Attachment:
    """A text file inside a PDF.

    - `relationship`: what it is to the document: its source, the data behind what is shown, the same in another form,
      or more than is shown.
    """

    name: str
    text: str
    media_type: str
    description: str
    relationship: Relationship = "supplement"
