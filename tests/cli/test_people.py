"""Identities on this machine: who speaks, passphrases, recovery keys, rotation."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from cli_harness import Cli, Ran


def make(cli: Cli, name: str, *more: str) -> Ran:
    return cli("id", "new", name, "--no-passphrase", "--recovery-file", f"safe/{name}.key", *more)


def test_the_only_identity_speaks_and_among_several_one_is_chosen(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(cli, "Ana").ok()
    assert cli("id", "default", "--json").ok().json["name"] == "Ana"
    make(cli, "Bo").ok()
    ran = cli("id", "default", "--json")
    assert (ran.status, ran.error["code"]) == (2, "usage")
    assert "hitp2p id default" in ran.error["next"]
    monkeypatch.setenv("HITP2P_AS", "Bo")
    assert cli("id", "show", "--json").ok().json["name"] == "Bo"
    monkeypatch.delenv("HITP2P_AS")
    cli("id", "default", "ana").ok()
    assert cli("id", "show", "--json").ok().json["name"] == "Ana"
    listed = cli("id", "list", "--json").ok().json["identities"]
    assert [(one["name"], one["is_default"]) for one in listed] == [("Ana", True), ("Bo", False)]


def test_two_of_one_name_are_told_apart_by_code(cli: Cli) -> None:
    first = make(cli, "Ana", "--json").ok().json["cid"]
    cli("id", "new", "Ana", "--no-passphrase", "--recovery-file", "safe/2.key").ok()
    ran = cli("id", "show", "Ana", "--json")
    assert ran.error["code"] == "ambiguous-name"
    assert first in ran.error["cids"]
    assert cli("id", "show", first[7:15], "--json").ok().json["cid"] == first


def test_key_files_are_for_their_owner_and_apart(cli: Cli, tmp_path: Path) -> None:
    made = make(cli, "Ana", "--json").ok().json
    for place in (made["file"], made["recovery_file"]):
        assert Path(place).stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o700
    beside = str(tmp_path / "keys" / "r.key")
    ran = cli("id", "new", "Bo", "--no-passphrase", "--recovery-file", beside)
    assert ran.status == 2
    assert "must not lie beside" in ran.err
    ran = cli("id", "new", "Bo", "--no-passphrase", "--recovery-file", made["recovery_file"])
    assert (ran.status, "exists already" in ran.err) == (2, True)


def test_a_passphrase_comes_from_a_file_or_a_descriptor_never_from_the_command_line(
    cli: Cli, tmp_path: Path
) -> None:
    word = tmp_path / "word"
    word.write_text("open sesame\n")
    made = cli(
        "id", "new", "Ana", "--recovery-file", "r.key", "--passphrase-file", str(word), "--json"
    )
    assert made.ok().json["has_passphrase"] is True
    cli("init").ok()
    dry = ("project", "new", "P", "--dry-run")
    assert cli(*dry, "--passphrase-file", str(word)).ok()
    reading, writing = os.pipe()
    os.write(writing, b"open sesame\n")
    os.close(writing)
    assert cli(*dry, "--passphrase-fd", str(reading)).ok()
    os.close(reading)
    word.write_text("wrong\n")
    ran = cli(*dry, "--passphrase-file", str(word), "--json")
    assert (ran.status, ran.error["code"]) == (2, "passphrase")
    assert cli(*dry, "--json").error["code"] == "passphrase"
    assert cli(*dry, "--passphrase", "open sesame").status == 2
    for content in (b"", b"\n", b"\xff\n", b"x" * 2000):
        word.write_bytes(content)
        assert cli(*dry, "--passphrase-file", str(word), "--json").error["code"] == "passphrase"


def test_a_missing_file_is_noticed_before_anybody_is_asked_for_a_passphrase(
    cli: Cli, tmp_path: Path
) -> None:
    word = tmp_path / "word"
    word.write_text("open sesame\n")
    secret = ("--passphrase-file", str(word))
    cli("id", "new", "Ana", "--recovery-file", "r.key", *secret).ok()
    cli("init").ok()
    cli("project", "new", "P", "--yes", *secret).ok()
    work = cli("contribute", "--title", "Verse", "--yes", *secret, "--json").ok().json["cid"]
    Path("here.txt").write_text("The night bus\n")
    for verb in (["contribute"], ["remix", "--of", work]):
        ran = cli(*verb, "here.txt", "none.txt", "--title", "T", "--json")
        assert (ran.status, ran.error["code"]) == (2, "not-found")
        assert "none.txt: there is no such file" in ran.error["message"]
        assert cli(*verb, ".", "--title", "T", "--json").error["code"] == "usage"
        assert cli(*verb, "here.txt", "--title", "T", "--json").error["code"] == "passphrase"


def test_a_first_signature_needs_consent_once(cli: Cli) -> None:
    make(cli, "Ana").ok()
    cli("init").ok()
    ran = cli("project", "new", "P", "--json")
    assert (ran.status, ran.error["code"]) == (2, "confirm")
    assert "--yes" in ran.error["next"]
    told = cli("project", "new", "P", "--yes").ok().err
    assert "can't be unsaid" in told.replace("\n", " ")
    assert cli("project", "new", "Q").ok().err == ""


def test_a_rotated_key_goes_on_and_old_works_stay_good(cli: Cli, story: dict[str, str]) -> None:
    before = cli("id", "show", "Ana", "--json").json
    ran = cli(
        "id", "rotate", "Ana", "--recovery-file", "../safe/Ana.key",
        "--new-recovery-file", "next.key", "--no-passphrase", "--json",
    ).ok()  # fmt: skip
    assert ran.json["cid"] == before["cid"]
    assert ran.json["key"] != before["key"]
    assert ran.json["file"] == before["file"]
    assert ran.json["workspaces"] == [str(Path.cwd())]
    cli("contribute", "verse.txt", "--title", "Later", "--as", "Ana").ok()
    trail = cli("trail", "--json").json["entries"]
    assert {entry["standing"] for entry in trail} == {"good"}
    assert len(cli("id", "show", "Ana", "--json").json["events"]) == 2
    again = cli("id", "rotate", "Ana", "--recovery-file", "../safe/Ana.key",
                "--new-recovery-file", "n.key", "--no-passphrase")  # fmt: skip
    assert again.status == 2
    assert "recovery key" in again.err
    cli("id", "rotate", "Ana", "--recovery-file", "next.key", "--new-recovery-file", "n2.key",
        "--no-passphrase").ok()  # fmt: skip


def test_a_stolen_key_is_revoked_up_to_what_its_owner_stands_by(
    cli: Cli, story: dict[str, str]
) -> None:
    forged = cli("contribute", "verse.txt", "--title", "Forged", "--as", "Ana", "--json").ok().json
    how = (
        "--recovery-file",
        "../safe/Ana.key",
        "--new-recovery-file",
        "next.key",
        "--no-passphrase",
    )
    assert "in one way" in cli("id", "revoke", "Ana", *how).err
    seen = cli("id", "revoke", "Ana", "--good", story["verse"], "--dry-run").ok().out
    assert story["verse"][7:15] in seen
    cli("id", "revoke", "Ana", "--good", story["verse"], *how).ok()
    standing = {e["title"]: e["standing"] for e in cli("trail", "--json").json["entries"]}
    assert standing == {"Night Bus": "good", "Verse": "good", "Song": "good", "Forged": "disavowed"}
    assert "DISAVOWED" in cli("show", forged["cid"]).ok().out
    assert cli("show", forged["cid"], "--json").json["standing"] == "disavowed"
    for listing in (("list",), ("search", "forged"), ("list", "--kind", "all")):
        lines = [line for line in cli(*listing).ok().out.splitlines() if "disavowed" in line]
        assert [("Forged" in line, line.endswith("] (disavowed)")) for line in lines] == [
            (True, True)
        ]
        listed = cli(*listing, "--json").json["objects"]
        assert [o["title"] for o in listed if o["standing"] != "good"] == ["Forged"]


def test_all_but_one_work_can_stay_good(cli: Cli, story: dict[str, str]) -> None:
    forged = cli("contribute", "verse.txt", "--title", "Forged", "--as", "Ana", "--json").ok().json
    cli("id", "revoke", "Ana", "--all-but", forged["cid"], "--recovery-file", "../safe/Ana.key",
        "--new-recovery-file", "next.key", "--no-passphrase").ok()  # fmt: skip
    standing = {e["title"]: e["standing"] for e in cli("trail", "--json").json["entries"]}
    assert standing == {"Night Bus": "good", "Verse": "good", "Song": "good", "Forged": "disavowed"}


def test_a_lost_key_file_is_no_obstacle_to_rotation(cli: Cli, story: dict[str, str]) -> None:
    Path(cli("id", "show", "Ana", "--json").json["file"]).unlink()
    cli("id", "rotate", story["Ana"], "--recovery-file", "../safe/Ana.key",
        "--new-recovery-file", "next.key", "--no-passphrase").ok()  # fmt: skip
    cli("contribute", "verse.txt", "--title", "Back", "--as", "Ana").ok()


def test_a_key_travels_as_identity_file_and_as_foreign_key(cli: Cli, tmp_path: Path) -> None:
    made = make(cli, "Ana", "--json").ok().json
    cli("id", "export", "Ana", "-o", "ana.copy").ok()
    cli("id", "export", "Ana", "--format", "openssh", "--unsealed", "-o", "ana.ssh").ok()
    assert Path("ana.ssh").read_bytes().startswith(b"-----BEGIN OPENSSH")
    assert cli("id", "export", "Ana", "-o", "ana.copy").status == 2
    Path(made["file"]).unlink()
    back = cli("id", "import", "ana.copy", "--json").ok().json
    assert (back["cid"], back["key"]) == (made["cid"], made["key"])
    other = cli(
        "id", "import", "ana.ssh", "Ann", "--no-passphrase", "--recovery-file", "r2.key", "--json"
    )
    assert other.ok().json["key"] == made["key"]
    assert other.json["cid"] != made["cid"]
    ran = cli("id", "import", "ana.ssh", "--json")
    assert (ran.status, ran.error["code"]) == (2, "key-file")


def test_a_seed_makes_the_same_keys_and_says_that_they_are_worthless(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HITP2P_SEED", "7")
    made = make(cli, "Ana", "--json").ok()
    assert "HITP2P_SEED" in made.err
    Path(made.json["file"]).unlink()
    Path(made.json["recovery_file"]).unlink()
    assert make(cli, "Ana", "--json").ok().json == made.json
    assert make(cli, "Bo", "--json").ok().json["key"] != made.json["key"]


def test_a_workspace_that_moved_is_missed_aloud(cli: Cli, story: dict[str, str]) -> None:
    here = Path.cwd()
    os.chdir(here.parent)
    here.rename(here.parent / "moved")
    ran = cli("id", "rotate", "Ana", "--dry-run", "--json").ok()
    assert "isn't there any more" in ran.err
    assert ran.json["good_heads"] == []
    found = cli("id", "rotate", "Ana", "--dry-run", "--in", "moved", "--json").ok()
    assert len(found.json["good_heads"]) == 1
