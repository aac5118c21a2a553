"""One request to a worker: what it asks, the way to its file, and the answers it may have.

No text of a document stands in an answer's `code` or `detail`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..common.errors import JiyaoError
from ..common.limits import Limits
from ..models.outcome import Done, Doubt, Failure, Outcome, Refusal

if TYPE_CHECKING:
    from ..formats.opened import OpenedDocument
    from ..models.policy.schema import Policy, Profile
    from .topic_model import TopicModel

Answer = tuple[dict[str, Any], bytes]
"""`{"outcome", "value", "code", "detail", "questions"}`, and bytes."""
Report = Callable[[dict[str, Any], bytes], None]
"""Says something while the work goes on."""


class Known:
    """What a worker was told once and keeps for all its jobs: the policy that it judges by, read when needed."""

    __slots__ = ("_model", "_model_text", "_policy", "_text", "copies", "prepared", "profile")

    def __init__(self) -> None:
        self._text = ""
        self.profile: Profile = "organ"
        self._policy: Policy | None = None
        self._model_text: tuple[str, bytes] | None = None
        self._model: TopicModel | None = None
        self.copies = b""
        """The forensic ids of the copies there are, eight bytes each, little end first; for tracing."""
        self.prepared: object = None
        """What was made ready for copies of the document copied last (stamp_prepared.PreparedDocuments)."""

    def tell(self, *, policy: str, profile: Profile, model: tuple[str, bytes] | None = None) -> None:
        """From now on papers are judged by this policy (YAML) and profile, and by a station's model: version, JSON."""
        if policy != self._text:
            self._policy = None
        self._text, self.profile = policy, profile
        if model != self._model_text:
            self._model_text, self._model = model, None

    @property
    def judges(self) -> bool:
        """Whether a policy was told."""
        return bool(self._text)

    @property
    def policy(self) -> Policy:
        """The policy, parsed."""
        from ..models.policy.loader import parse_policy

        if self._policy is None:
            self._policy = parse_policy(self._text)
        return self._policy

    @property
    def model(self) -> TopicModel | None:
        """The station's model; None for the shipped one."""
        from .topic_model import read_model

        if self._model is None and self._model_text is not None:
            version, text = self._model_text
            self._model = replace(read_model(text.decode()), version=version)
        return self._model

    def get_ready(self) -> None:
        """Loads what judging needs, once the answer is out and before the next request is there."""
        if self.judges and self._policy is None:
            from . import retain  # noqa: F401
            from .classify_content import get_ready

            with suppress(JiyaoError):  # told by the judging itself
                self._policy = self.policy
                get_ready(self._policy)


class Request:
    """What one request asks, and the way to its file."""

    __slots__ = ("data", "fields", "known", "limits", "opened_with", "report")

    def __init__(
        self, fields: dict[str, Any], data: bytes, limits: Limits, report: Report, known: Known
    ) -> None:
        self.fields, self.limits, self.report, self.known = fields, limits, report, known
        self.data = data
        self.opened_with: int | None = None

    @contextmanager
    def opened(self, *, quiet: bool = False) -> Iterator[OpenedDocument]:
        """The file, opened; going through its pages is reported, unless the act itself does that."""
        from ..formats.unlock import open_locked
        from .part_view import Watched

        passwords = self.fields.get("passwords") or ()
        opened, self.data, self.opened_with = open_locked(self.data, passwords, limits=self.limits)
        try:
            yield opened if quiet else Watched(opened, lambda page: self.report({"page": page}, b""))
        finally:
            opened.close()

    def told(self, answer: Answer) -> Answer:
        """The answer, and which of the given passwords opened the file, when one did."""
        if self.opened_with is not None:
            answer[0]["value"]["opened_with"] = self.opened_with
        return answer


# ---------------------------------------------------------------- answers


def done(value: dict[str, Any], *, questions: tuple[str, ...] = ()) -> dict[str, Any]:
    """An answer with a value; with questions it is a doubt."""
    return {
        "outcome": "doubt" if questions else "done", "value": value, "code": None, "detail": "",
        "questions": list(questions),
    }  # fmt: skip


def failed(code: str, detail: str = "") -> Answer:
    """An answer that names what went wrong."""
    return {"outcome": "failed", "value": {}, "code": code, "detail": detail, "questions": []}, b""


def plain(outcome: Outcome[Any]) -> dict[str, Any]:
    """A refusal or failure as an answer."""
    match outcome:
        case Refusal(code, detail):
            word = "refused"
        case Failure(code, detail):
            word = "failed"
        case Done() | Doubt():
            raise TypeError("a value is not a failure")
    return {"outcome": word, "value": {}, "code": code, "detail": detail, "questions": []}
