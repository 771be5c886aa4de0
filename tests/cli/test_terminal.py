"""On a real terminal, whatever strangers wrote: no byte below 0x20 but line ends, no ESC; and clean ends."""

from __future__ import annotations

import errno
import os
import pty
import select
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cli_harness import Cli

import hitp2p
from hitp2p.objects.envelope import SignedObject, sign_object
from hitp2p.store.contract import WriteBatch

PATIENCE_S = 20.0
"""Longest silence of a command that isn't stuck."""
PROGRAM = (sys.executable, "-m", "hitp2p")
NAUGHTY = "\x1b[31m\x1b]0;owned\x07\x9b2J\r\x08\x00\x7f\u202emoc.live\u2066\u200b\ufeff\u2028\U000e0041[bold]"
TOUCHY = "[red]markup[/red] \u0645\u0631\u062d\u0628\u0627 \u8a69 x\u0301\u0301\u0301 \U0001f469\u200d\U0001f467 {0} %s \\x1b"


def on_terminal(*argv: str, feed: bytes = b"") -> tuple[int, bytes]:
    """Status of a command and all that it wrote to its terminal of 80 columns."""
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [*PROGRAM, *argv], stdin=follower, stdout=follower, stderr=follower,
        env=os.environ | {"COLUMNS": "80", "TERM": "xterm-256color"}, start_new_session=True,
    )  # fmt: skip
    os.close(follower)
    shown = b""
    try:
        while True:
            if not select.select([leader], [], [], PATIENCE_S)[0]:
                process.kill()
                process.wait()
                raise AssertionError(f"it waits for more than it was given: {shown!r}")
            try:
                piece = os.read(leader, 65536)
            except OSError as error:  # Linux says EIO when the last writer is gone
                if error.errno != errno.EIO:
                    raise
                break
            if not piece:
                break
            shown += piece
            if feed and shown.rstrip(b" ").endswith((b":", b"]")):
                line, _, feed = feed.partition(b"\n")
                os.write(leader, line + b"\n")
    finally:
        os.close(leader)
    return process.wait(30), shown


def assert_harmless(shown: bytes) -> None:
    text = shown.replace(b"\r\n", b"\n").decode()
    assert "\x1b" not in text
    bad = [char for char in text if not (char.isprintable() or char in "\n\u200c\u200d")]
    assert bad == []


@pytest.fixture
def hostile(cli: Cli, story: dict[str, str]) -> dict[str, str]:
    """The story, and works whose texts try what the format lets through, under a kind that isn't known."""
    with hitp2p.open(".", create=False) as ws:
        ana = hitp2p.Identity.create(TOUCHY[:20])
        ws.add_identity(ana)
        project = hitp2p.Cid.parse(story["project"])

        def sign(kind: str, body: dict[str, Any]) -> SignedObject:
            signed = sign_object(
                kind=kind, body=body, signer=ana.signer, time=2**53 - 1, author=ana.cid,
                event=ana.event, project=project, parents=[project],
            )  # fmt: skip
            ws.store.put(WriteBatch(objects=[signed]))
            return signed

        free = {
            "title": NAUGHTY, "note": NAUGHTY, "license": NAUGHTY, "tags": [NAUGHTY],
            "media": [{"name": NAUGHTY, "type": NAUGHTY, "size": 3}, NAUGHTY, {"size": 2}],
            NAUGHTY[:12]: {NAUGHTY[:12]: [NAUGHTY, b"\x1b", None, True, -1]},
        }  # fmt: skip
        return story | {
            "odd": str(sign("x-odd", free).cid),
            "touchy": str(sign("contribution", {"title": TOUCHY}).cid),
        }


LISTING = (
    ("list", "--kind", "all"),
    ("list",),
    ("search", "markup"),
    ("trail",),
    ("show", "{odd}"),
    ("show", "{touchy}"),
    ("credits", "{odd}"),
    ("credits", "{touchy}"),
    ("credits", "{touchy}", "--format", "markdown"),
    ("project", "list"),
    ("project", "show"),
    ("status",),
    ("watch", "--since", "0", "--once"),
    ("export", "{odd}", "-o", "odd.car"),
    ("import", "odd.car"),
    ("fsck",),
    ("show", NAUGHTY.replace("\x00", "")),
    ("list", "--by", NAUGHTY.replace("\x00", "")),
    ("contribute", NAUGHTY.replace("\x00", ""), "--title", "x", "--as", "Ana"),
    ("id", "show", NAUGHTY.replace("\x00", "")),
    (NAUGHTY.replace("\x00", ""),),
    ("list", "--" + NAUGHTY.replace("\x00", "")),
)


@pytest.mark.parametrize(
    "argv", LISTING, ids=lambda argv: " ".join(argv[:1]).encode("ascii", "replace").decode()[:12]
)
def test_nothing_that_a_terminal_obeys_comes_through(
    argv: tuple[str, ...], hostile: dict[str, str], cli: Cli
) -> None:
    if argv[0] == "import":
        cli("export", hostile["touchy"], "-o", "odd.car").ok()
    status, shown = on_terminal(
        *(
            part.replace("{odd}", hostile["odd"]).replace("{touchy}", hostile["touchy"])
            for part in argv
        )
    )
    assert status in (0, 2)
    assert shown.strip()
    assert_harmless(shown)
    assert b"Traceback" not in shown


def test_text_is_cleaned_and_other_media_are_refused_on_a_terminal(
    cli: Cli, story: dict[str, str]
) -> None:
    Path("evil.txt").write_bytes(b"one\x1b[2J\ntwo\x9b\n")
    made = cli("contribute", "evil.txt", "--title", "E", "--as", "Ana", "--json").ok().json["cid"]
    status, shown = on_terminal("cat", made)
    assert status == 2 or b"one\\x1b[2J" in shown
    assert_harmless(shown)
    status, shown = on_terminal("cat", story["song"])
    assert status in (0, 2)
    assert_harmless(shown)
    raw = subprocess.run([*PROGRAM, "cat", made], capture_output=True, check=True)
    assert raw.stdout == Path("evil.txt").read_bytes()


def test_a_person_is_asked_for_passphrase_recovery_file_and_consent(cli: Cli) -> None:
    cli("init").ok()
    status, shown = on_terminal("id", "new", "Ana", feed=b"../safe.key\nsecret\nsecret\n")
    assert status == 0, shown
    assert b"sealed with your passphrase" in shown
    assert b"secret" not in shown
    assert Path("../safe.key").stat().st_mode & 0o777 == 0o600
    status, shown = on_terminal("project", "new", "P", feed=b"wrong\n")
    assert (status, b"error: " in shown) == (2, True)
    status, shown = on_terminal("project", "new", "P", feed=b"secret\nn\n")
    assert status == 2
    assert b"can't be" in shown
    status, shown = on_terminal("project", "new", "P", feed=b"secret\ny\n")
    assert status == 0
    status, shown = on_terminal("project", "new", "Q", feed=b"secret\n")  # agreed once
    assert status == 0
    assert b"can't be unsaid" not in shown.replace(b"\r\n", b" ")


def test_a_reader_that_leaves_early_is_no_error(story: dict[str, str]) -> None:
    for argv in (("list", "--kind", "all"), ("--help",), ("list", "--json")):
        reading, writing = os.pipe()
        os.close(reading)
        try:
            done = subprocess.run(
                [*PROGRAM, *argv], stdout=writing, stderr=subprocess.PIPE, check=False
            )
        finally:
            os.close(writing)
        assert done.stderr == b""
        assert done.returncode in (1, 141)


def test_ctrl_c_ends_a_running_verb_with_130_and_no_traceback(story: dict[str, str]) -> None:
    process = subprocess.Popen(
        [*PROGRAM, "watch", "--since", "0"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline()  # it runs
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=30)
    assert process.returncode == 130
    assert b"Traceback" not in told


def test_a_bar_shows_on_a_terminal_only_and_on_stderr(monkeypatch: pytest.MonkeyPatch) -> None:
    from hitp2p.cli import progress as module

    with module.progress("reading") as move:
        assert move is None
    leader, follower = pty.openpty()
    with os.fdopen(follower, "w") as screen:
        monkeypatch.setattr(sys, "stderr", screen)
        monkeypatch.setattr(module, "SHOWN_AFTER_S", 0.0)
        for unit in ("bytes", "blocks", "objects"):
            with module.progress("reading", unit=unit) as move:  # type: ignore[arg-type]
                assert move is not None
                move(1, 4)
                move(4, 4)
        screen.flush()
        shown = os.read(leader, 65536)
    os.close(leader)
    assert b"reading" in shown
    assert b"/s" in shown
