"""What a file says without showing it, as findings: that there is such text, and whether it bears a secrecy mark.

A mark that nobody sees still binds whoever knows of it, and a paper whose mark was hidden to get past a desk is an
incident: both are told apart from a forgotten word (保守国家秘密法 art. 22: a mark is to be conspicuous).
"""

from __future__ import annotations

import re

from ..common.letters import squeezed
from ..models.page import Finding

_MOST = 60
_MARK = re.compile(
    r"(?:绝密|机密|秘密|絕密|機密|祕密|核心商密|普通商密|商业秘密|工作秘密|公司绝密|公司机密|公司秘密)"
    r"(?:[★☆*▲△·]?(?:长期|\d{1,2}(?:年|个?月)|启用前|公布前))?"
)


def hidden_text(text: str, *, page: int | None = None) -> tuple[Finding, ...]:
    """`hidden_text` with the count of characters, and `hidden_mark` with the mark, when there is one in it."""
    bare = squeezed(text)
    if not bare:
        return ()
    told = Finding("hidden_text", page=page, detail=str(len(bare)))
    found = _MARK.search(bare)
    return (told, Finding("hidden_mark", page=page, detail=found.group()[:_MOST])) if found else (told,)
