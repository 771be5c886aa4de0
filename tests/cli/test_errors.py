"""What goes wrong is told in one sentence with the next step, a stable code and an exit status."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_harness import Cli

from hitp2p.cli import errors
from hitp2p.cli.app import root
from hitp2p.codec.cid import Cid
from hitp2p.errors import Hitp2pError, InternalError
from hitp2p.store.glance import Glance
from hitp2p.store.mediafolder import hold_shared, release
from hitp2p.store.sqlite import SqliteStore
from hitp2p.trail.display import short_name


def fields_of(record: dict[str, object]) -> set[str]:
    return {f"error.{name}{'[]' if name == 'cids' else ''}" for name in record}


@pytest.mark.parametrize(
    ("argv", "code", "status", "words"),
    [
        (("list",), "not-found", 2, "neither this folder"),
        (("--workspace", "nowhere", "list"), "not-found", 2, "nowhere is not a workspace"),
        (("lsit",), "usage", 2, "Did you mean list?"),
        (("id", "nwe"), "usage", 2, "Did you mean new?"),
        (("list", "--bogus"), "usage", 2, "No such option"),
        (("contribute", "x.txt"), "usage", 2, "Missing option '--title'"),
        (("id", "show"), "not-found", 2, "no identity on this machine"),
        (("id", "new", "Ana", "--no-passphrase"), "usage", 2, "a file of its own"),
        (("id", "new", "Ana", "--recovery-file", "r.key"), "passphrase", 2, "no terminal"),
    ],
)
def test_errors_have_code_status_and_next_step(
    cli: Cli, argv: tuple[str, ...], code: str, status: int, words: str
) -> None:
    told = cli(*argv)
    assert told.status == status
    assert told.out == ""
    first, *rest = told.err.splitlines()
    assert first.startswith("error: ")
    assert words in first
    assert rest[-1].startswith("next:  ")
    ran = cli(*argv, "--json")
    assert (ran.status, ran.out) == (status, "")
    error = ran.error
    assert fields_of(error) == set(errors.ERROR_FIELDS)
    assert error["code"] == code
    assert error["exit_status"] == status
    assert words in error["message"]
    assert error["next"]


def test_a_broken_rule_is_named_with_its_page(cli: Cli, story: dict[str, str]) -> None:
    ran = cli("contribute", "verse.txt", "--title", "x" * 300, "--as", "Ana")
    assert ran.status in (2, 30)
    assert "OBJ-16" in ran.err
    Path("bad.car").write_bytes(b"\x00\x01\x02")
    ran = cli("import", "bad.car")
    assert ran.status == 30
    assert "rule:  CAR-1 (spec/01-encoding.md)" in ran.err
    error = cli("import", "bad.car", "--json").error
    assert (error["code"], error["rule"], error["exit_status"]) == ("decode", "CAR-1", 30)


def test_a_hash_of_a_source_that_is_none_is_refused(cli: Cli, story: dict[str, str]) -> None:
    for wrong in ("", "abcd", "g" * 64, "0" * 63, "0" * 66):
        source = f"https://example.org/rain,title=Rain,sha256={wrong}"
        ran = cli("contribute", "--title", "T", "--source", source, "--as", "Ana", "--json")
        assert (ran.status, ran.error["code"]) == (2, "usage"), wrong
        assert "64 hexadecimal digits" in ran.error["message"]


def test_ambiguous_names_are_listed(cli: Cli, story: dict[str, str]) -> None:
    cli("project", "new", "Night Bus", "--as", "Ana").ok()
    ran = cli("contribute", "verse.txt", "--title", "T", "--as", "Ana", "--json")
    assert ran.status == 2
    assert ran.error["code"] == "ambiguous-name"
    assert len(ran.error["cids"]) == 2
    shown = cli("contribute", "verse.txt", "--title", "T", "--as", "Ana").err
    assert all(cid in shown for cid in ran.error["cids"])


def test_a_short_name_may_leave_out_the_start_and_needs_four_characters(
    cli: Cli, story: dict[str, str]
) -> None:
    cid = story["verse"]
    for name in (cid, cid[:11], cid[7:11], cid[7:20]):
        assert cli("show", name, "--json").ok().json["cid"] == cid
    assert cli("show", cid[7:10]).status == 2
    assert cli("show", "0000").status == 2
    missing = cid[:-6] + ("aaaaaa" if not cid.endswith("aaaaaa") else "aaaaba")
    assert cli("show", missing, "--json").error["code"] == "not-found"


def test_two_objects_that_begin_alike_are_listed_with_their_titles(
    cli: Cli, story: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    alike = tuple(map(Cid.parse, (story["verse"], story["song"], story["Ana"])))
    for finder in (Glance, SqliteStore):
        monkeypatch.setattr(finder, "match_prefix", lambda *_, limit: alike[:limit])
    for verb in ("show", "credits"):
        ran = cli(verb, "abcd")
        assert (ran.status, ran.out) == (2, "")
        for cid, what in zip(
            alike, ('contribution "Verse"', 'contribution "Song"', 'identity "Ana"'), strict=True
        ):
            assert f"{short_name(cid, 12)} ({what})" in ran.err
        error = cli(verb, "abcd", "--json").error
        assert error["code"] == "ambiguous-name"
        assert error["cids"] == list(map(str, alike))


def test_a_long_title_in_a_list_of_names_is_cut(
    cli: Cli, story: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    cid = (
        cli("contribute", "--title", "night " * 40 + "bus", "--as", "Ana", "--json")
        .ok()
        .json["cid"]
    )
    alike = (Cid.parse(cid), Cid.parse(story["song"]))
    monkeypatch.setattr(Glance, "match_prefix", lambda *_, limit: alike[:limit])
    ran = cli("show", "abcd")
    assert 'contribution "night night night night night night n...")' in ran.err


def test_what_a_person_says_against_a_rule_is_their_error_not_one_of_foreign_bytes(
    cli: Cli, story: dict[str, str]
) -> None:
    for said, rule in (
        (("contribute", "--title", "T", "--role", "a\nb"), "OBJ-15"),
        (("remix", "--of", story["verse"], "--title", "T" * 1000), "OBJ-1"),
        (("project", "new", "P", "--license", "FOO BAR"), "OBJ-22"),
        (("thanks", story["verse"], "x\x00y"), "OBJ-1"),
    ):
        error = cli(*said, "--as", "Ana", "--json").error
        assert (error["code"], error["exit_status"]) == ("usage", 2), said
        assert rule in error["message"]
        assert error["next"] == "Nothing was signed; say it in another way."


def test_a_file_that_is_not_there_is_looked_for_in_folders_not_among_works(
    cli: Cli, story: dict[str, str]
) -> None:
    for said in (("import", "no.car"), ("contribute", "no.wav", "--title", "T", "--as", "Ana")):
        error = cli(*said, "--json").error
        assert (error["code"], error["exit_status"]) == ("not-found", 2)
        assert "path" in error["next"]


def test_every_code_of_the_tree_has_a_next_step_or_says_itself() -> None:
    def walk(kind: type[Hitp2pError]) -> set[str]:
        return {kind.code}.union(*(walk(sub) for sub in kind.__subclasses__()))

    silent = walk(Hitp2pError) - errors.NEXT_STEPS.keys()
    # `usage` and `confirm` say it themselves, `internal` is told how to report; the network's words come later.
    assert silent <= {"error", "invalid", "usage", "confirm", "internal", "peer",
                      "protocol-violation"}  # fmt: skip


def test_our_own_fault_asks_to_report_and_shows_a_traceback_only_on_demand(
    cli: Cli, story: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> None:
        raise RuntimeError("boom \x1b[31m")

    monkeypatch.setattr("hitp2p.cli.verbs.status._speaker", fail)
    ran = cli("status")
    assert ran.status == InternalError.exit_status == 70
    assert "hitp2p is at fault: RuntimeError: boom \\x1b[31m" in ran.err
    assert "report" in ran.err
    assert "Traceback" not in ran.err
    loud = cli("status", "--debug")
    assert "Traceback" in loud.err
    assert "\x1b" not in loud.err
    assert cli("status", "--json").error["code"] == "internal"


def test_ctrl_c_is_130_without_a_word(
    cli: Cli, story: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("hitp2p.cli.verbs.status._speaker", interrupt)
    ran = cli("status")
    assert ran.status == 130
    assert "Traceback" not in ran.err + ran.out


def test_the_worlds_faults_are_the_stores(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("taken").write_text("")
    ran = cli("init", "taken/inside", "--json")
    assert ran.status in (2, 74)
    full = OSError(28, "No space left on device", "x")
    assert errors.as_own(full).code == "store-full"
    assert errors.as_own(PermissionError(13, "Permission denied", "x")).code == "store"


def test_the_root_shows_help_for_nothing(cli: Cli) -> None:
    assert root.name == "root"
    ran = cli()
    assert ran.status == 2
    assert ran.err.startswith("Usage: hitp2p")
    assert "error:" not in ran.err
    assert "next:  Add --help to the command" in cli("contribute", "x.txt", "--title").err
    assert cli("id").err.startswith("Usage: hitp2p id")
    error = cli("--json", "id").error
    assert (error["code"], error["message"]) == ("usage", "a verb is missing")


def test_a_project_that_is_not_here_is_called_by_what_was_said(
    cli: Cli, story: dict[str, str]
) -> None:
    for name in ("X", "Nope", "No such project"):
        ran = cli("trail", name)
        assert ran.status == 2
        assert f"no project here has {name!r} as its title or short name" in ran.err
        assert "hitp2p project list" in ran.err


def test_gc_says_when_it_had_to_leave_all_as_it_was(cli: Cli, story: dict[str, str]) -> None:
    folder = Path(".hitp2p/media")
    lock = hold_shared(folder)
    try:
        assert "try again later" in cli("gc").ok().out
        assert cli("gc", "--json").ok().json["is_busy"] is True
    finally:
        release(lock)
    assert cli("gc", "--json").ok().json["is_busy"] is False


def test_a_file_that_is_not_there_is_not_looked_for_among_the_works(
    cli: Cli, story: dict[str, str]
) -> None:
    ran = cli("contribute", "no.txt", "--title", "T", "--as", "Ana")
    assert ran.status == 2
    assert "no.txt: there is no such file" in ran.err
    assert "from the folder that you are in" in ran.err


def test_media_that_are_not_here_are_asked_for_once(cli: Cli, story: dict[str, str]) -> None:
    cli("export", story["song"], "-o", "song.car").ok()
    cli("init", "other").ok()
    cli("--workspace", "other", "import", "song.car").ok()
    ran = cli("--workspace", "other", "cat", story["song"])
    assert ran.status == 40
    assert len(ran.err.splitlines()) == 2
    assert f"hitp2p export {story['song']} --media work" in ran.err
    assert len(cli("--workspace", "other", "cat", story["song"], "--json").error["cids"]) == 1
