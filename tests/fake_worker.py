"""A worker that misbehaves on request; run as a script, so that it confines nothing and knows nothing."""

import os
import subprocess
import sys
import time
from pathlib import Path

from jiyao.common.frames import read_frame, write_frame

DONE = {"outcome": "done", "value": {}, "code": None, "detail": "", "questions": []}


ASKED: list[str] = []


def answer(fields: dict, data: bytes) -> None:
    out = sys.stdout.buffer
    match fields["do"]:
        case "echo":
            write_frame(out, {**DONE, "value": {"environment": dict(os.environ), "cwd": os.getcwd()}}, data)
        case "hang":
            if fields.get("child"):
                child = subprocess.Popen(["sleep", "600"])
                Path(fields["child"]).write_text(str(child.pid))
            if fields.get("self"):
                Path(fields["self"]).write_text(str(os.getpid()))
            Path("left-behind").write_bytes(b"secret words")
            time.sleep(600)
        case "eat":
            hoard = [bytearray(os.urandom(1 << 20)) for _ in range(fields["megabytes"])]
            time.sleep(fields.get("seconds", 600))
            write_frame(out, {**DONE, "value": {"kept": len(hoard)}}, b"")
        case "feed":  # a child eats, the worker does not
            code = "import os,time\nx=[bytearray(os.urandom(1<<20)) for _ in range(300)]\ntime.sleep(600)"
            subprocess.run([sys.executable, "-c", code], check=False)
        case "die":
            os._exit(7)
        case "signal":
            os.kill(os.getpid(), 11)
        case "raw":
            out.write(bytes.fromhex(fields["bytes"]))
            out.flush()
            time.sleep(600)
        case "say":
            write_frame(out, fields["answer"], b"")
        case "pages":
            for page in range(1, fields["pages"] + 1):
                write_frame(out, {"page": page if fields["honest"] else 2}, b"")
                time.sleep(fields["seconds"])
            write_frame(out, DONE, b"")
        case "read":  # pages one by one; at one of them something happens
            for page in range(1, fields["pages"] + 1):
                write_frame(out, {"page": page, "of": fields["pages"]}, b"")
                if page == fields.get("bad"):
                    answer({"do": fields["then"], "megabytes": 300}, b"")
                time.sleep(fields.get("seconds", 0))
                write_frame(out, {"read": page}, b"page %d" % page)
            write_frame(out, DONE, b"")
        case "order":  # says what it was asked before
            ASKED.append(fields["name"])
            write_frame(out, {**DONE, "value": {"asked": ASKED, "pid": os.getpid()}}, data)
        case "litter":
            Path("note.txt").write_text("left")
            write_frame(out, {**DONE, "value": {"found": sorted(os.listdir("."))}}, b"")


while (frame := read_frame(sys.stdin.buffer)) is not None:
    answer(frame[0]["fields"], frame[1])
