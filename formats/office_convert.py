"""LibreOffice as a converter: one headless run for one file.

Threat model: a hostile document takes over LibreOffice, or makes it fetch, run, hang or swell. It runs inside the
worker's confinement (no network, no keys, dies with the worker's group, its memory counts as the worker's), on a
profile of its own that is made for the one file and erased with it; macros are off, links are not followed and
never brought up to date, Java is off. Accepted: what the worker's user may read, a taken-over converter may read.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import cast

from ..common.limits import Limits
from ..models.incoming import Kind
from .fault import FormatFault

_FILTERS = {
    "doc": "writer", "rtf": "writer", "odt": "writer",
    "xls": "calc", "xlsx": "calc", "ods": "calc",
    "ppt": "impress", "pptx": "impress", "odp": "impress",
}  # fmt: skip
_TWINS = {"doc": "docx", "rtf": "docx", "xls": "xlsx", "ppt": "pptx"}
_TIME_SHARE, _TWIN_SHARE = 0.55, 0.25
"""Of the document's time; the rest is for the reading of the PDF."""
_SETTINGS = {
    ("Office.Common/Security/Scripting", "MacroSecurityLevel"): "3",
    ("Office.Common/Security/Scripting", "DisableMacrosExecution"): "true",
    ("Office.Common/Security/Scripting", "DisablePythonRuntime"): "true",
    ("Office.Common/Security/Scripting", "DisableActiveContent"): "true",
    ("Office.Common/Security/Scripting", "BlockUntrustedRefererLinks"): "true",
    ("Office.Common/Security/Scripting", "CheckDocumentEvents"): "true",
    ("Office.Common/Load", "UserDefinedSettings"): "false",
    ("Office.Common/Misc", "UseOpenCL"): "false",
    ("Office.Common/Misc", "FirstRun"): "false",
    ("Office.Writer/Content/Update", "Link"): "0",
    ("Office.Writer/Content/Update", "Field"): "false",
    ("Office.Writer/Content/Update", "Chart"): "false",
    ("Office.Calc/Content/Update", "Link"): "2",
    ("Office.Calc/Formula/Load", "OOXMLRecalcMode"): "1",
    ("Office.Calc/Formula/Load", "ODFRecalcMode"): "1",
    ("Office.Java/VirtualMachine", "Enable"): "false",
}
_ITEM = (
    '<item oor:path="/org.openoffice.{path}"><prop oor:name="{name}" oor:op="fuse">'
    "<value>{value}</value></prop></item>"
)
_REGISTRY = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<oor:items xmlns:oor="http://openoffice.org/2001/registry" '
    'xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">{items}</oor:items>'
)


def converter() -> str | None:
    """Where LibreOffice is; None when it is not installed."""
    return shutil.which("soffice") or shutil.which("libreoffice")


def to_pdf(data: bytes, kind: Kind, limits: Limits) -> bytes:
    """The document as a PDF.

    Raises:
        FormatFault: `unsupported_format` without LibreOffice; `office_timed_out`; `office_not_converted`;
            `too_large`.
        OSError: the scratch folder is full.
    """
    return _converted(
        data,
        kind,
        "pdf",
        f"pdf:{_FILTERS[kind]}_pdf_Export",
        limits,
        limits.seconds_per_document * _TIME_SHARE,
    )


def to_package(data: bytes, kind: Kind, limits: Limits) -> tuple[bytes, Kind] | None:
    """The same document as an Office package, in which what it hides can be looked for; None for a kind that is one.

    Raises:
        FormatFault: as `to_pdf`.
    """
    twin = _TWINS.get(kind)
    if twin is None:
        return None
    made = _converted(data, kind, twin, twin, limits, limits.seconds_per_document * _TWIN_SHARE)
    return made, cast(Kind, twin)


def _converted(data: bytes, kind: Kind, ending: str, target: str, limits: Limits, seconds: float) -> bytes:
    program = converter()
    if program is None:
        raise FormatFault("unsupported_format", kind)
    with tempfile.TemporaryDirectory(prefix="office-") as folder:
        place = Path(folder)
        _prepare(place / "profile")
        source = place / f"source.{kind}"
        source.write_bytes(data)
        ended = _run(program, place, source, target, seconds)
        made = place / "out" / f"source.{ending}"
        if not made.is_file():
            raise FormatFault("office_not_converted", f"{kind}, {ended}")
        if made.stat().st_size > limits.file_bytes:
            raise FormatFault("too_large", f"{made.stat().st_size} > {limits.file_bytes}")
        return made.read_bytes()


def _prepare(profile: Path) -> None:
    user = profile / "user"
    user.mkdir(parents=True)
    items = "".join(
        _ITEM.format(path=path, name=name, value=value) for (path, name), value in _SETTINGS.items()
    )
    (user / "registrymodifications.xcu").write_text(_REGISTRY.format(items=items), "utf-8")


def _run(program: str, place: Path, source: Path, target: str, seconds: float) -> int:
    """Runs the converter to its end, with everything it started; its exit code."""
    process = subprocess.Popen(
        [
            program, f"-env:UserInstallation={(place / 'profile').as_uri()}", "-env:OSL_SOCKET_PATH=.",
            "--headless", "--norestore", "--nologo", "--nodefault", "--nolockcheck", "--nofirststartwizard",
            "--convert-to", target, "--outdir", str(place / "out"), str(source),
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=place,
        env={**os.environ, "HOME": str(place), "TMPDIR": str(place), "SAL_USE_VCLPLUGIN": "svp"},
    )  # fmt: skip
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        _end(process)
        raise FormatFault("office_timed_out", source.suffix[1:]) from None


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ends the converter and what it started. It stays in the worker's group, so that it dies with the worker too."""
    import psutil

    with suppress(psutil.Error):
        for child in psutil.Process(process.pid).children(recursive=True):
            with suppress(psutil.Error):
                child.send_signal(signal.SIGKILL)
    process.kill()
    process.wait()
