"""`make demo`: a batch of mail goes the whole way, driven through the command line as a person would drive it.

Received, read, suggested, confirmed, sealed, handed out as numbered copies, traced from a bent and cropped picture,
destroyed under two-person control, certified, verified. Everything is made up; the station lives in `demo-out/` and
uses the weak `--kdf test` so that the demonstration is quick: a real station never does.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import cv2
import numpy as np
import pypdfium2

HERE = Path(__file__).resolve().parent
OUT = HERE.parent / "demo-out"
INBOX = HERE / "inbox"
TRUTH = HERE / "truth.json"
PEOPLE: dict[str, tuple[str, str]] = {
    "saomiao": ("甄扫描", "scan_operator"),
    "jiyao": ("贾机要", "jiyao_clerk"),
    "dangan": ("任归档", "archivist"),
    "shenhe": ("沈定密", "determination_reviewer"),
    "dingmi": ("丁密责", "determiner"),
    "zhuren": ("吕主任", "office_director"),
    "fenguan": ("冯分管", "leader_in_charge"),
    "zhuyao": ("朱要负", "principal"),
    "zhixing1": ("支行甲", "destroy_operator"),
    "zhixing2": ("支行乙", "destroy_operator"),
    "jianxiao1": ("简晓甲", "destroy_supervisor"),
    "jianxiao2": ("简晓乙", "destroy_supervisor"),
    "yuewen": ("岳文", "reader"),
}
PARTS = {
    "01-flood.pdf": "copy",
    "05-peer-2012.jpg": "expired",
    "06-copy.png": "worthless",
    "07-rule.docx": "permanent",
    "08-peer-2011.pdf": "hold",
}
"""Which sample plays which part after the review."""
ADMINISTRATORS = ("sysadmin", "secadmin", "auditor")


class Demo:
    """One run: a station under `out`, and the commands given to it."""

    def __init__(self, out: Path) -> None:
        self.out, self.home = out, out / "station"
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir(parents=True)
        passwords = out / "passwords"
        passwords.write_text("".join(f"{user}:demo-{user}\n" for user in (*ADMINISTRATORS, *PEOPLE)), "utf-8")
        passwords.chmod(0o600)
        self.environment = {
            **os.environ, "JIYAO_HOME": str(self.home), "JIYAO_PASSPHRASE": "demo only",
            "JIYAO_PASSWORDS_FILE": str(passwords), "JIYAO_LANG": "zh",
        }  # fmt: skip

    def run(self, user: str | None, *words: object, exits: Sequence[int] = (0,)) -> dict[str, Any]:
        """One command with `--json`; its value. Ends the demonstration when it answers otherwise than expected."""
        command = [str(Path(sys.executable).with_name("jiyao")), "--json", *map(str, words)]
        if user:
            command += ["--user", user]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)
        if done.returncode not in exits:
            click.echo(done.stdout + done.stderr, err=True)
            raise SystemExit(f"{' '.join(command[2:])}: exit {done.returncode}")
        value: dict[str, Any] = json.loads(done.stdout)
        return value


def say(text: str) -> None:
    """One line of the story."""
    click.echo(f"  {text}")


def main() -> None:
    """Runs it and ends with the paths of what was made."""
    began = time.monotonic()
    demo = Demo(OUT)
    truth = {item["file"]: item for item in json.loads(TRUTH.read_text("utf-8"))["papers"]}
    _found(demo)
    documents = _take_in(demo)
    chosen = _confirm(demo, documents, truth)
    copy, picture = _hand_out_and_trace(demo, chosen["copy"])
    certificate = _destroy(demo, chosen)
    register = OUT / "收文登记簿.xlsx"
    demo.run("jiyao", "register", "export", "inbound", "--format", "xlsx", "--out", register)
    ledger = demo.run("auditor", "ledger", "verify")
    say(f"台账 {ledger['entries']} 条，校验通过")
    click.echo(f"\n完成，用时 {time.monotonic() - began:.0f} 秒。")
    for name, path in (
        ("收文登记簿", register), ("复制件", copy), ("被追踪的图片", picture), ("销毁证书", certificate),
    ):  # fmt: skip
        click.echo(f"{name}：{path}")


def _found(demo: Demo) -> None:
    click.echo("一、建站与人员")
    station = demo.run(
        None, "init", "--unit", "云梦省无极市机要室", "--profile", "organ", "--kdf", "test", "--station-level", "机密",
        "--authorisation", "演示〔2026〕1号",
    )  # fmt: skip
    say(f"站点建成：根存储介质等级 {station['root']['class']}，策略 {station['policy']['version']}（暂行）")
    for user, (name, role) in PEOPLE.items():
        demo.run("sysadmin", "account", "add", user, "--name", name, "--person", user)
        demo.run("secadmin", "account", "grant", user, "--role", role, "--clearance", "important")
    say(f"三员与 {len(PEOPLE)} 名工作人员就位")


def _take_in(demo: Demo) -> list[dict[str, Any]]:
    click.echo("二、签收、扫描收录")
    receipt = demo.run(
        "jiyao", "receive", "--from", "无极市人民政府", "--channel", "机要交换", "--envelope", "0517"
    )
    say(f"签收 {receipt['receipt']}，签收条 {receipt['slip']}")
    before = {path: path.read_bytes() for path in INBOX.iterdir() if path.is_file()}
    batch = demo.run("saomiao", "ingest", INBOX, "--batch", "演示批", exits=(0, 6))
    counts = batch["counts"]
    pace = 60 * batch["pages"] / max(batch["seconds"], 0.001)
    say(
        f"收到 {counts['received']} 件，{batch['pages']} 页，{batch['seconds']:.0f} 秒（每分钟 {pace:.0f} 页）："
        f"待确认 {counts['pending']}，重复 {counts['duplicate']}，"
        f"隔离 {counts['quarantined']}，拒收 {counts['refused']}"
    )
    for problem in batch["problems"]:
        say(f"· {Path(problem['path']).name}：{problem['message']}")
    if any(path.read_bytes() != data for path, data in before.items()):
        raise SystemExit("a source file was changed")
    sheet = OUT / "复核单.pdf"
    demo.run("saomiao", "review", "sheet", batch["batch"], "--out", sheet)
    say(f"复核单 {sheet}")
    return list(batch["documents"])


def _confirm(demo: Demo, documents: list[dict[str, Any]], truth: dict[str, Any]) -> dict[str, str]:
    """People decide; returns the documents that play a part later, by part."""
    click.echo("三、人工复核")
    parts: dict[str, str] = {}
    for document in documents:
        paper = truth[document["source_name"]]
        if part := PARTS.get(document["source_name"]):
            parts[part] = document["id"]
        shown = document["level"] or f"暂按{document['interim_level']}"
        say(
            f"· {document['id']} {document['title'] or '（无标题）'}：{shown} {document['secrecy_period'] or ''}"
        )
        _decide(demo, document, paper)
    waiting = demo.run("saomiao", "review", "list")["documents"]
    say(f"已确认 {len(documents) - len(waiting)} 件，仍待人工 {len(waiting)} 件")
    return parts


def _decide(demo: Demo, document: dict[str, Any], paper: dict[str, Any]) -> None:
    """The archivist fixes the retention period, a determiner accepts what a reviewer set, the desk the rest."""
    identifier = document["id"]
    wanted = paper["expected"]["retention"]
    if wanted and wanted != document["retention"]:
        demo.run("dangan", "review", "set", identifier, "--retention", wanted, "--reason", "按保管期限表核定")
    level = paper["expected"]["level"]
    if document["level"] is None and level:
        demo.run("shenhe", "review", "set", identifier, "--level", level, "--reason", "承办人提出，定密审核")
        demo.run("dingmi", "review", "accept", identifier)
    elif document["level"] is not None:
        demo.run("saomiao", "review", "accept", identifier)


def _hand_out_and_trace(demo: Demo, document: str) -> tuple[Path, Path]:
    click.echo("四、发放复制件与溯源")
    demo.run("fenguan", "circle", "set", document, "yuewen", "fenguan", "zhuren")
    if demo.run("jiyao", "copies", "issue", document, "--to", "yuewen", "--out", OUT, exits=(0, 4)).get(
        "error"
    ):
        request = demo.run("jiyao", "approval", "request", "distribute", "--document", document)
        for role in request["needed"]:
            approver = next(user for user, (_, held) in PEOPLE.items() if held == role)
            demo.run(approver, "approval", "give", request["id"])
        say(f"未经批准不得发放；{request['id']} 批准后发放")
    issued = demo.run(
        "jiyao", "copies", "issue", document, "--to", "yuewen", "--to", "zhuren", "--out", OUT / "copies"
    )["copies"]
    copy = Path(issued[0]["file"])
    picture = OUT / "泄露图片.jpg"
    _leak(copy, picture)
    found = demo.run("auditor", "trace", picture, "--reason", "演示溯源")["results"][0]
    if found["copy"] != issued[0]["copy"]:
        raise SystemExit("the trace names another copy")
    say(
        f"图片经变形、压缩、裁切后仍指向 {found['copy']}，登记持有人 {found['recipient']}：这是线索，不是结论"
    )
    for item in issued:
        demo.run("jiyao", "copies", "return", item["copy"])
    return copy, picture


def _leak(copy: Path, picture: Path) -> None:
    """A page photographed askew, sent through a chat, cropped to the quarter with a barcode."""
    page = pypdfium2.PdfDocument(copy)[0].render(scale=170 / 72).to_numpy()[:, :, :3]
    height, width = page.shape[:2]
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    shifts = [[0.03, 0.02], [-0.05, 0.04], [-0.02, -0.03], [0.04, 0.0]]
    bent = corners + np.array(shifts, np.float32) * np.array([width, height], np.float32)
    warped = cv2.warpPerspective(
        page, cv2.getPerspectiveTransform(corners, bent), (width, height), borderValue=(90, 80, 70)
    )
    cv2.imwrite(str(picture), warped[: height // 2, : width // 2], [cv2.IMWRITE_JPEG_QUALITY, 50])


def _destroy(demo: Demo, chosen: dict[str, str]) -> Path:
    click.echo("五、销毁与证书")
    demo.run("fenguan", "hold", "add", chosen["hold"], "--reason", "审计期间冻结")
    for part, why in (("permanent", "永久保管"), ("hold", "冻结中")):
        proposed = demo.run(
            "dangan", "destroy", "propose", "--document", chosen[part], "--reason", "retention_expired"
        )  # fmt: skip
        blocks = "、".join(block["code"] for block in proposed["items"][0]["blocks"])
        refused = demo.run("jiyao", "destroy", "count", proposed["id"], exits=(4,))
        say(f"{why}：拒绝（{blocks}）——{refused['error']['message']}")
        demo.run("dangan", "destroy", "cancel", proposed["id"])
    demo.run("dangan", "documents", "appraise", chosen["expired"], "--reason", "期满鉴定，无继续保存价值")
    first = _destroy_batch(demo, chosen["expired"], "retention_expired")
    _destroy_batch(demo, chosen["worthless"], "no_filing_value")
    gone = demo.run("saomiao", "documents", "text", chosen["expired"], exits=(3,))
    say(f"再读已销毁文件：{gone['error']['message']}")
    return first


def _destroy_batch(demo: Demo, document: str, reason: str) -> Path:
    batch = demo.run("jiyao", "destroy", "propose", "--document", document, "--reason", reason)
    identifier = batch["id"]
    for user in ("jiyao", "dangan"):
        demo.run(user, "destroy", "count", identifier)
    for role in batch["needed"]:
        approver = next(user for user, (_, held) in PEOPLE.items() if held == role)
        demo.run(approver, "destroy", "approve", identifier)
    for user in ("jianxiao1", "jianxiao2"):
        demo.run(user, "destroy", "supervise", identifier)
    for user in ("zhixing1", "zhixing2"):
        executed = demo.run(user, "destroy", "execute", identifier)
    checks = "、".join(f"{check['name']} {check['result']}" for check in executed["checks"])
    for user in ("jianxiao1", "jianxiao2"):
        demo.run(user, "destroy", "attest", identifier, "--place", "机要室销毁间")
    path = OUT / f"销毁证书-{identifier}.pdf"
    shown = demo.run("dangan", "certificate", "show", identifier, "--out", path)
    verified = demo.run(
        None,
        "--home",
        OUT / "nowhere",
        "certificate",
        "verify",
        path,
        "--trust",
        shown["ca"],
        "--proof",
        shown["proof"],
    )
    say(f"{document} 已销毁：{executed['verdict']}；{checks}；证书离站验证 valid={verified['valid']}")
    return path


if __name__ == "__main__":
    main()
