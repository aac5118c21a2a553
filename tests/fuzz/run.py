"""`make fuzz SECONDS=60`: each target for its part of the time, side by side, from sound files on; a crasher is kept.

Without atheris (it has wheels for some Pythons only) the Hypothesis tests run with fresh chances instead.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
TESTS = HERE.parent
TARGETS = ("fuzz_formats", "fuzz_fields")
OUT = TESTS.parent / "fuzz-out"


def main() -> int:
    """0 when nothing was found."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, default=60, help="for all targets together")
    seconds = parser.parse_args().seconds
    if importlib.util.find_spec("atheris") is None:
        print("fuzz: atheris is not installed here; Hypothesis alone")
        tests = sorted(str(path) for path in TESTS.glob("test_fuzz_*.py"))
        return subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "--hypothesis-seed=random", *tests]
        ).returncode
    OUT.mkdir(exist_ok=True)
    share = max(5, seconds // len(TARGETS))
    with ThreadPoolExecutor(len(TARGETS)) as pool:
        return max(pool.map(lambda target: _run(target, share), TARGETS))


def _run(target: str, seconds: int) -> int:
    with tempfile.TemporaryDirectory(prefix="jy-fuzz-") as folder:
        for number, data in enumerate(_corpus(target)):
            (Path(folder) / f"{number:03}").write_bytes(data)
        done = subprocess.run(
            [
                sys.executable, HERE / f"{target}.py", folder, f"-max_total_time={seconds}", "-timeout=20",
                "-rss_limit_mb=1500", "-max_len=65536", "-verbosity=0", "-print_final_stats=1",
                f"-artifact_prefix={OUT}/{target}-",
            ],
            env={**os.environ, "PYTHONPATH": str(TESTS), "OMP_THREAD_LIMIT": "1"}, check=False,
        )  # fmt: skip
    print(f"fuzz: {target}: {'nothing found' if done.returncode == 0 else f'found something, see {OUT}'}")
    return done.returncode


def _corpus(target: str) -> list[bytes]:
    sys.path.insert(0, str(TESTS))
    import fuzz_kit as kit

    if target == "fuzz_formats":
        return [data for files in kit.seeds().values() for data in files]
    from jiyao.samples.layout import lay_out
    from jiyao.samples.make import make_paper

    return [
        "\f".join("\n".join(sheet.lines) for sheet in lay_out(make_paper(seed, "test"))).encode()
        for seed in range(12)
    ]


if __name__ == "__main__":
    raise SystemExit(main())
