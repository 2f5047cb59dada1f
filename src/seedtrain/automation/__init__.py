"""Devices as the executor sees them, and the execution of control recipes into the record."""

from seedtrain.automation._alarms import (
    LONGEST_SHELVING,
    Alarm,
    AlarmBook,
    AlarmState,
    AlarmWatch,
    NotifyEntry,
    Standing,
    acknowledge_alarm,
    alarm_book,
    batch_now,
    read_alarms,
    recipe_alarms,
    remove_alarm,
    reset_alarm,
    restore_alarm,
    shelve_alarm,
    unshelve_alarm,
)
from seedtrain.automation._attach import occupied
from seedtrain.automation._bench import bench_plant
from seedtrain.automation._commit import batch_state
from seedtrain.automation._control import STRATEGIES, Case, compare_feeding, feeding_case, feeding_rows
from seedtrain.automation._devices import (
    Addition,
    Ending,
    Function,
    FunctionalUnit,
    Identity,
    Plant,
    Reading,
    Tag,
    TagDevice,
    TagValue,
)
from seedtrain.automation._excursion import Excursion
from seedtrain.automation._executor import READING_INTERVAL, execute
from seedtrain.automation._faults import FaultEntry
from seedtrain.automation._fold import BatchState
from seedtrain.automation._job import CHECKER, OPERATOR, SHIFT_LEADER, unit_name
from seedtrain.automation._live import execute_live, start_live
from seedtrain.automation._live_scenario import LivePlant
from seedtrain.automation._mapped import AnyMapping, AnyPlant, mapped_plant, read_any_mapping
from seedtrain.automation._monitoring import (
    Finding,
    Golden,
    GoldenModel,
    bench_monitoring,
    fit_golden,
    monitoring_rows,
)
from seedtrain.automation._opcua import (
    Mapping,
    Offered,
    OpcUaPlant,
    Session,
    browse,
    draft_mapping,
    parse_mapping,
    read_mapping,
)
from seedtrain.automation._plant_words import browsed_words, served_words
from seedtrain.automation._protocols import (
    Access,
    Address,
    TagMapping,
    TagPlant,
    device_words,
    draft_tag_mapping,
    open_device,
    parse_address,
    parse_tag_mapping,
    read_register_map,
    read_tag_mapping,
)
from seedtrain.automation._recorder import Recorder
from seedtrain.automation._running import PermitRefused
from seedtrain.automation._scenario import Scenario, read_scenario, scenario_of, write_scenario
from seedtrain.automation._security import Security
from seedtrain.automation._served import PlantProcess, connect, served_plant, start_plant
from seedtrain.automation._speaks import SpeaksEntry
from seedtrain.automation._standing import Waits, live_status, live_words, waits_of
from seedtrain.automation._strategy import ExecutedLine, basis_words, executed_strategy
from seedtrain.automation._telemetry import Segment, read_segment, segment_path
from seedtrain.automation._watched import BatchWatch, Watched, WatchedPhase, WatchedTag

__all__ = [
    "CHECKER",
    "LONGEST_SHELVING",
    "OPERATOR",
    "READING_INTERVAL",
    "SHIFT_LEADER",
    "STRATEGIES",
    "Access",
    "Addition",
    "Address",
    "Alarm",
    "AlarmBook",
    "AlarmState",
    "AlarmWatch",
    "AnyMapping",
    "AnyPlant",
    "BatchState",
    "BatchWatch",
    "Case",
    "Ending",
    "Excursion",
    "ExecutedLine",
    "FaultEntry",
    "Finding",
    "Function",
    "FunctionalUnit",
    "Golden",
    "GoldenModel",
    "Identity",
    "LivePlant",
    "Mapping",
    "NotifyEntry",
    "Offered",
    "OpcUaPlant",
    "PermitRefused",
    "Plant",
    "PlantProcess",
    "Reading",
    "Recorder",
    "Scenario",
    "Security",
    "Segment",
    "Session",
    "SpeaksEntry",
    "Standing",
    "Tag",
    "TagDevice",
    "TagMapping",
    "TagPlant",
    "TagValue",
    "Waits",
    "Watched",
    "WatchedPhase",
    "WatchedTag",
    "acknowledge_alarm",
    "alarm_book",
    "basis_words",
    "batch_now",
    "batch_state",
    "bench_monitoring",
    "bench_plant",
    "browse",
    "browsed_words",
    "compare_feeding",
    "connect",
    "device_words",
    "draft_mapping",
    "draft_tag_mapping",
    "execute",
    "execute_live",
    "executed_strategy",
    "feeding_case",
    "feeding_rows",
    "fit_golden",
    "live_status",
    "live_words",
    "mapped_plant",
    "monitoring_rows",
    "occupied",
    "open_device",
    "parse_address",
    "parse_mapping",
    "parse_tag_mapping",
    "read_alarms",
    "read_any_mapping",
    "read_mapping",
    "read_register_map",
    "read_scenario",
    "read_segment",
    "read_tag_mapping",
    "recipe_alarms",
    "remove_alarm",
    "reset_alarm",
    "restore_alarm",
    "scenario_of",
    "segment_path",
    "served_plant",
    "served_words",
    "shelve_alarm",
    "start_live",
    "start_plant",
    "unit_name",
    "unshelve_alarm",
    "waits_of",
    "write_scenario",
]
