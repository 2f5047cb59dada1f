"""A recipe's data as YAML text."""

from __future__ import annotations

from typing import Any


def yaml_text(data: dict[str, Any]) -> str:
    """`data` (dicts, lists and strings) as YAML that reads back as the same data; mappings of scalars on one line."""
    import yaml

    class _Dumper(yaml.SafeDumper):
        def ignore_aliases(self, data: Any) -> bool:
            return True

    return str(yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=118, default_flow_style=None))
