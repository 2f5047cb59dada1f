"""Arguments that many commands take, each explained once."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

AlarmName = Annotated[str, Parameter(help="Its name as `batch alarms` shows it.")]
BankName = Annotated[str, Parameter(help="The bank.")]
BatchName = Annotated[str, Parameter(help="The batch.")]
CapaName = Annotated[str, Parameter(help="Its name.")]
ChainCode = Annotated[str, Parameter(help="The chain's code.")]
DeviationName = Annotated[str, Parameter(help="Its name.")]
EquipmentName = Annotated[str, Parameter(help="Its id.")]
InvestigationName = Annotated[str, Parameter(help="The investigation.")]
LotName = Annotated[str, Parameter(help="Its id.")]
PhaseName = Annotated[str, Parameter(help="The phase: its path, or its name where no other has it.")]
