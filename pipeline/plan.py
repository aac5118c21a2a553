"""The product on one page: what happens to a paper, in order, and where each act runs.

`worker` acts are pure and keyless: a value in, an outcome out, in a process that holds no key.
`station` acts run in the coordinator, each in one transaction with its ledger entry.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Stage:
    """One act of the day."""

    name: str
    zh: str
    where: Literal["worker", "station", "person"]
    gives: str
    job: str | None = None
    """The worker's job that contains it; several pure stages share one."""


DAY: tuple[Stage, ...] = (
    Stage("receive", "签收", "station", "Receipt, Document (received)"),
    Stage("intake", "拆件", "worker", "Incoming", job="read"),
    Stage("ocr", "识别", "worker", "Transcript", job="read"),
    Stage("split", "分件", "worker", "Transcript …", job="read"),
    Stage("extract", "提取要素", "worker", "OfficialFields", job="read"),
    Stage("second_look", "复看", "worker", "OfficialFields", job="read"),
    Stage("relate", "查关联", "station", "Relations"),
    Stage("classify", "拟密级", "worker", "LevelSuggestion", job="judge"),
    Stage("retain", "拟保管期限", "worker", "RetentionSuggestion", job="judge"),
    Stage("seal", "加密封存", "station", "Sealed"),
    Stage("commit", "登记", "station", "Document (pending)"),
    Stage("review", "复核确认", "person", "Document (registered)"),
    Stage("stamp", "制复制件", "worker", "Copy", job="draw"),
    Stage("trace", "溯源", "worker", "Copy number", job="marks"),
    Stage("shred", "销毁", "station", "one outcome per artefact"),
    Stage("certify", "出证", "station", "certificate and inventory"),
)


def job_of(stage: str) -> str:
    """The worker's job in which a stage runs."""
    found = next(item for item in DAY if item.name == stage)
    if found.job is None:
        raise LookupError(stage)
    return found.job
