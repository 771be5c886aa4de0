"""The same calls give the same actions, in every process: nothing hangs on the seed of Python's hashes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parents[2]
PLAY = """
from hashlib import sha256
from host_world import NAMES, Host, Trail, Wire, settle
trail = Trail(0)
works = [trail.new(title=str(n)) for n in range(150)]
hosts = [
    Host(NAMES[n], objects=[*trail.base, *works[n * 20 : n * 20 + 60]], follow=[trail.cid])
    for n in range(4)
]
said = sha256()
for host in hosts:
    take = host.take_bytes
    def note(link, data, take=take):
        said.update(data)
        take(link, data)
    host.take_bytes = note
wires = [Wire(one, other) for one in hosts for other in hosts if one.key < other.key]
settle(wires, seconds=70)
assert len({host.cids() for host in hosts}) == 1
print(said.hexdigest())
"""


def test_a_run_is_the_same_to_the_byte_whatever_the_seed_of_hashes() -> None:
    runs = []
    for seed in ("1", "2", "77"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(TESTS)}
        done = subprocess.run(
            [sys.executable, "-c", PLAY],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        runs.append(done.stdout)
    assert len(set(runs)) == 1
