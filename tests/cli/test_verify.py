"""`hitp2p verify`: exit statuses, several files, and every form of a report."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest
from cli_harness import Cli
from stories_world import Story, person

from hitp2p.objects.contribution import ForeignSource
from hitp2p.sealing import seal, write_kit

STORES = ("sqlite", "kubo")
HOSTILE = "<script>alert(1)</script>\x1b[31m"


@pytest.fixture
def downloads(cli: Cli, story: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder outside any workspace, with the song and its bundle."""
    folder = Path("../downloads")
    folder.mkdir()
    cli("export", story["song"], "-o", str(folder / "song.wav.car")).ok()
    (folder / "song.wav").write_bytes(Path("song.wav").read_bytes())
    monkeypatch.chdir(folder)
    return Path()


def test_a_file_with_its_bundle_is_verified_without_any_workspace(
    cli: Cli, downloads: Path
) -> None:
    ran = cli("verify", "song.wav").ok()
    lines = ran.out.splitlines()
    assert lines[0].startswith("VERIFIED  song.wav: ")
    assert len(lines) == 12
    assert "\x1b" not in ran.out


@pytest.mark.parametrize(
    ("words", "status", "line"),
    [
        (["none.wav"], 2, ""),
        (["song.wav", "--bundle", "none.car"], 2, ""),
        (["song.wav", "--require", "match=near"], 2, ""),
        (["song.wav", "song.wav", "--html", "page.html"], 2, ""),
        (["--workspace", "nowhere", "song.wav"], 2, ""),
        (["song.wav", "--require", "match=exact,time=witness"], 13, "Not met:    time=witness"),
        (["changed.wav", "--bundle", "song.wav.car"], 40, "UNKNOWN  changed.wav: it differs"),
        (["song.wav", "--bundle", "broken.car"], 30, "BROKEN  song.wav: the bundle for it is bad"),
    ],
)
def test_the_exit_status_says_what_was_found(
    cli: Cli, downloads: Path, words: list[str], status: int, line: str
) -> None:
    Path("changed.wav").write_bytes(Path("song.wav").read_bytes() + b"\0")
    bundle = bytearray(Path("song.wav.car").read_bytes())
    bundle[len(bundle) // 2] ^= 1
    Path("broken.car").write_bytes(bundle)
    ran = cli("verify", *words)
    assert ran.status == status, ran.err
    assert line in ran.out
    assert ran.out or ran.err.startswith("error: ")


def test_what_others_say_is_known_in_the_workspace(cli: Cli, story: dict[str, str]) -> None:
    cli("dispute", story["song"], "--reason", HOSTILE, "--as", "Ana", "--yes")
    cli("dispute", story["song"], "--reason", "<b>My words</b>", "--as", "Ana", "--yes").ok()
    ran = cli("verify", "song.wav", "--html", "page.html")
    assert ran.status == 20
    assert 'disputes it: "<b>My words</b>"' in ran.out
    page = Path("page.html").read_text(encoding="utf-8")
    assert "&lt;b&gt;My words&lt;/b&gt;" in page
    assert "<b>" not in page
    assert "<script" not in page
    assert "default-src 'none'" in page


def test_a_folder_is_verified_in_one_call(cli: Cli, downloads: Path) -> None:
    Path("more").mkdir()
    Path("more/note.txt").write_text("Hello\n")
    ran = cli("verify", ".")
    assert ran.status == 40
    assert ran.out.splitlines()[-1] == "2 files: 1 UNKNOWN, 1 VERIFIED"
    document = cli("verify", "*.wav", "more/note.txt", "--json").json
    assert document["summary"] == {"UNKNOWN": 1, "VERIFIED": 1}
    assert [report["exit_status"] for report in document["reports"]] == [0, 40]


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ("--explain", ["The file", "sha256", "signed the work", "remix of", "Time"]),
        ("--tree", ['"Song"', '  remix of "Verse"']),
        ("--credits", ["lyricist", "Ana's verse made me sing"]),
    ],
)
def test_other_forms_tell_more(cli: Cli, downloads: Path, form: str, words: list[str]) -> None:
    shown = cli("verify", "song.wav", form).ok().out
    assert all(word in shown for word in words), shown


def test_no_url_in_a_file_or_a_record_is_ever_fetched(cli: Cli, tmp_path: Path) -> None:
    """A canary listens on loopback, and everything that is verified points to it."""
    with socket.create_server(("127.0.0.1", 0)) as canary:
        canary.setblocking(False)
        url = f"http://127.0.0.1:{canary.getsockname()[1]}/canary"
        with Story(tmp_path) as story:
            ana = person("Ana")
            project = story.ws.create_project("P", license="CC-BY-4.0", purpose=url, by=ana)
            svg = f'<svg xmlns="http://www.w3.org/2000/svg"><image href="{url}"/></svg>\n'
            source = ForeignSource(url=url, title=url, license="CC0-1.0")
            work = story.work(ana, project, "a.svg", "A", text=svg, uses=[(source, "sample")])
            seal(story.ws, story.folder / "a.svg", work=work)
            write_kit(story.ws, work, story.folder / "kit.zip")
            story.ws.profile(by=ana, links=[(None, url)])
        for form in ("--explain", "--tree", "--credits", "--json", "--html"):
            page = [str(tmp_path / "page.html")] if form == "--html" else []
            program = [
                sys.executable,
                "-m",
                "hitp2p",
                "verify",
                str(tmp_path / "a.svg"),
                form,
                *page,
            ]
            assert subprocess.run(program, capture_output=True, check=False).returncode == 0
        with pytest.raises(BlockingIOError):
            canary.accept()
