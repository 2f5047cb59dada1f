"""A client of SiLA 2 servers."""

from seedtrain.automation._protocols._sila._client import SERVICE, Progress, SilaClient, SilaRefusal, sila_error
from seedtrain.automation._protocols._sila._device import SilaDevice
from seedtrain.automation._protocols._sila._feature import Feature, parse_feature
from seedtrain.automation._protocols._sila._messages import framework, messages_of

__all__ = [
    "SERVICE",
    "Feature",
    "Progress",
    "SilaClient",
    "SilaDevice",
    "SilaRefusal",
    "framework",
    "messages_of",
    "parse_feature",
    "sila_error",
]
