"""Fuzzes the targets: ``python -m tests.fuzz.run [--seconds N] [TARGET …]`` prints one JSON line for each.

The seconds are shared out among the targets. Guided by coverage where ``atheris`` is installed, else driven
by Hypothesis. What is found is made small and kept under ``found``, where the tests replay it; exit 1 says
that there was something. What is learned is kept in ``.fuzz`` and gone on from.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import random
import re
import subprocess
import sys
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.fuzz import shrink
from tests.fuzz.mutate import mutated

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parent.parent.parent
SCRATCH = ROOT / ".fuzz"
FOUND = Path(__file__).with_name("found")
LONGEST_INPUT = 8_192
HANG_S = 60
"""An input that goes on for so long is taken for one without an end."""
BATCH = 500

_EXECUTED = re.compile(r"stat::number_of_executed_units:\s*(\d+)")
_COVERED = re.compile(r"cov: (\d+) ft: (\d+)")


def keep(data: bytes, into: Path) -> Path:
    """Write an input that is a fault, named by its content."""
    into.mkdir(parents=True, exist_ok=True)
    path = into / hashlib.sha256(data).hexdigest()[:12]
    path.write_bytes(data)
    return path


def search(
    run: Callable[[bytes], None], corpus: list[bytes], seconds: float, into: Path
) -> tuple[int, Path | None]:
    """Look for a fault by Hypothesis; return how many inputs were tried, and the file of what was found."""
    from hypothesis import HealthCheck, Phase, given, settings
    from hypothesis import strategies as st

    ends = time.monotonic() + seconds
    tried = 0
    failed: list[bytes] = []

    @settings(
        max_examples=BATCH,
        deadline=None,
        database=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(st.sampled_from(corpus) | st.binary(max_size=64), st.integers(0, 2**64 - 1), st.integers(0, 4))
    def examine(data: bytes, seed: int, changes: int) -> None:
        nonlocal tried
        chance = random.Random(seed)
        for _ in range(changes):
            data = mutated(data, chance, LONGEST_INPUT)
        tried += 1
        try:
            run(data)
        except Exception:
            failed.append(data)
            raise

    while time.monotonic() < ends and not failed:
        try:
            examine()
        except Exception:
            traceback.print_exc()
    return tried, keep(shrink.shrunk(run, failed[0]), into) if failed else None


def by_hypothesis(target: str, seconds: int) -> dict[str, Any]:
    """Fuzz one target in this process."""
    from tests.fuzz import seeds, targets

    tried, path = search(
        lambda data: targets.attempt(target, data), seeds.corpus(target), seconds, FOUND / target
    )
    return {"inputs": tried, "found": [] if path is None else [str(path.relative_to(ROOT))]}


def by_atheris(target: str, seconds: int) -> dict[str, Any]:
    """Fuzz one target in a child, which ends with the process that libFuzzer ends."""
    from tests.fuzz import seeds

    place = SCRATCH / target
    corpus = place / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for seed in seeds.corpus(target):
        keep(seed, corpus)
    before = set(seeds.found(target))
    command = [sys.executable, "-m", "tests.fuzz.run", "--child", target, "--seconds", str(seconds)]
    log = place / "log"
    with log.open("wb") as output:
        ended = subprocess.run(
            command, cwd=ROOT, stdout=output, stderr=output, check=False, timeout=seconds + 5 * HANG_S
        )
    artifacts = list(place.glob("artifact-*"))
    if set(seeds.found(target)) == before:  # it hung, ran out of memory or crashed: nobody made it small
        for artifact in artifacts:
            keep(artifact.read_bytes(), FOUND / target)
    for artifact in artifacts:
        artifact.unlink()
    said = log.read_text(errors="replace")
    executed, covered = _EXECUTED.search(said), _COVERED.findall(said)
    found = sorted(set(seeds.found(target)) - before)
    if ended.returncode and not found:
        sys.stderr.write(said[-4_000:])
        raise SystemExit(f"fuzzing {target} failed with {ended.returncode}; see {log}")
    return {
        "inputs": int(executed[1]) if executed else None,
        "edges": int(covered[-1][0]) if covered else None,
        "features": int(covered[-1][1]) if covered else None,
        "found": [str(path.relative_to(ROOT)) for path in found],
    }


def child(target: str, seconds: int) -> None:
    """Fuzz one target under libFuzzer. Does not return."""
    import atheris

    with atheris.instrument_imports(include=["cadenza_tui"]):
        from tests.fuzz import targets

    def run(data: bytes) -> None:
        try:
            targets.attempt(target, data)
        except Exception:
            traceback.print_exc()
            path = keep(shrink.shrunk(lambda each: targets.attempt(target, each), data), FOUND / target)
            sys.stderr.write(f"kept as {path}\n")
            raise

    def mutate(data: bytes, limit: int, seed: int) -> bytes:
        chance = random.Random(seed)
        if chance.random() < 0.5:
            changed: bytes = atheris.Mutate(data, limit)
            return changed
        return mutated(data, chance, limit)

    place = SCRATCH / target
    atheris.Setup(
        [
            sys.argv[0],
            str(place / "corpus"),
            f"-max_total_time={seconds}",
            f"-max_len={LONGEST_INPUT}",
            f"-timeout={HANG_S}",
            f"-artifact_prefix={place}/artifact-",
            "-rss_limit_mb=2048",
            "-print_final_stats=1",
        ],
        run,
        custom_mutator=mutate,
    )
    atheris.Fuzz()


def main() -> int:
    """Fuzz what is asked for, print the lines, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("targets", nargs="*", metavar="TARGET")
    parser.add_argument("--seconds", type=int, default=300, help="in all (default 300)")
    parser.add_argument("--engine", choices=("atheris", "hypothesis"))
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(options.child, options.seconds)
    engine = options.engine or ("atheris" if importlib.util.find_spec("atheris") else "hypothesis")
    from tests.fuzz import targets

    try:
        wanted = targets.names(options.targets)
    except ValueError as error:
        parser.error(str(error))
    share = max(1, options.seconds // len(wanted))
    any_found = False
    for target in wanted:
        started = time.monotonic()
        result = (by_atheris if engine == "atheris" else by_hypothesis)(target, share)
        line = {"fuzz": target, "engine": engine, "seconds": round(time.monotonic() - started, 1), **result}
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()
        any_found = any_found or bool(result["found"])
    return int(any_found)


if __name__ == "__main__":
    sys.exit(main())
