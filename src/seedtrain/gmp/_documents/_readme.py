"""What a stranger reads first in an exported folder, in both languages."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files as files_of

from seedtrain.gmp._batch._record import BatchRecord
from seedtrain.record import Extract

_FILES: Mapping[str, tuple[str, str]] = {
    "batch-record.pdf": ("the batch record", "批记录"),
    "certificate.pdf": ("the certificate of analysis", "检验报告书"),
    "certificate.json": ("the same as data", "同上，数据形式"),
    "epcis.json": ("the same genealogy as EPCIS 2.0", "EPCIS 2.0 格式的谱系"),
    "events.jsonl": ("the exact bytes of the events", "事件的原始字节"),
    "proofs.jsonl": ("for each event, its proof (RFC 6962)", "每个事件的证明（RFC 6962）"),
    "sizes.jsonl": ("proofs of the earlier checkpoints that signatures name", "签名所引用的较早检查点的证明"),
    "checkpoint.txt": ("the server's signed checkpoint", "服务器签名的检查点"),
    "anchors.jsonl": ("the same checkpoint as it was anchored outside the database", "数据库之外锚定的同一检查点"),
    "extract.txt": ("the server's signed list of these files", "服务器签名的文件清单"),
    "keys.json": ("public keys", "公钥"),
    "verify.py": ("checks all of it; read it first", "核查程序；请先阅读"),
}
_TELEMETRY = ("telemetry of the batch", "本批遥测数据")


def readme(record: BatchRecord, found: Extract, files: Mapping[str, bytes]) -> dict[str, bytes]:
    """`README.md` and `README.zh.md`."""
    names = [*files, *found.files, "extract.txt"]
    made = {}
    for name, template, at, mark in (
        ("README.md", "readme.md", 0, "**Simulated batch, not for use.** "),
        ("README.zh.md", "readme.zh.md", 1, "**模拟批次，不得使用。**"),
    ):
        rows = [f"| `{item}` | {_FILES.get(item, _TELEMETRY)[at]} |" for item in names]
        text = files_of("seedtrain.gmp").joinpath(f"_documents/{template}").read_text("utf-8")
        made[name] = text.format(
            batch=record.batch,
            product=record.material or record.header.recipe,
            mark=mark if record.simulated else "",
            key=found.server_key,
            events=len(found.events),
            size=found.size,
            rows="\n".join(rows),
        ).encode("utf-8")
    return made
