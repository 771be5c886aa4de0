"""What `contribute` and `remix` say of works that a new one doesn't name."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from cli_harness import Cli

from hitp2p import uncredited

WORDS = [f"word{n}" for n in range(60)]


@pytest.fixture
def poem(cli: Cli, story: dict[str, str]) -> str:
    """The CID of a text of 60 words by Ana, beside the verse and the song."""
    Path("poem.txt").write_text(" ".join(WORDS))
    made = cli("contribute", "poem.txt", "--title", "Poem", "--as", "Ana", "--json").ok()
    return str(made.json["cid"])


def test_a_new_work_with_half_of_another_is_signed_with_a_hint(cli: Cli, poem: str) -> None:
    Path("mine.txt").write_text("Mine: " + " ".join(WORDS[:30]))
    ran = cli("contribute", "mine.txt", "--title", "Mine", "--as", "Bo").ok()
    assert 'warning: it looks like "Poem"' in ran.err
    assert "which it doesn't credit" in ran.err
    assert f"hitp2p remix --of {poem[7:15]}" in ran.err
    assert "Poem" not in ran.out


def test_the_same_file_again_is_hinted_at_too(cli: Cli, poem: str) -> None:
    Path("short.txt").write_text("Not a word more")
    cli("contribute", "short.txt", "--title", "First", "--as", "Ana").ok()
    ran = cli("contribute", "short.txt", "--title", "Second", "--as", "Bo").ok()
    assert '"First"' in ran.err
    assert "a file of it is the same" in ran.err


def test_a_dry_run_hints_before_anything_is_signed(cli: Cli, poem: str) -> None:
    Path("mine.txt").write_text(" ".join(WORDS[:30]))
    ran = cli("contribute", "mine.txt", "--title", "Mine", "--as", "Bo", "--dry-run").ok()
    assert '"Poem"' in ran.err


def test_what_is_credited_at_any_depth_is_not_hinted_at(cli: Cli, poem: str) -> None:
    Path("mine.txt").write_text(" ".join(WORDS[:30]))
    first = cli("remix", "mine.txt", "--of", poem, "--title", "Mine", "--as", "Bo", "--json").ok()
    assert first.err == ""
    Path("next.txt").write_text(" ".join(WORDS[:25]))
    second = cli("remix", "next.txt", "--of", first.json["cid"], "--title", "N", "--as", "Ana")
    assert second.ok().err == ""


def test_works_that_share_nothing_are_signed_in_silence(cli: Cli, poem: str) -> None:
    Path("other.txt").write_text(" ".join(f"else{n}" for n in range(60)))
    assert cli("contribute", "other.txt", "--title", "Other", "--as", "Bo").ok().err == ""


@pytest.mark.parametrize("n_more", [0, 1])
def test_files_are_looked_at_up_to_a_size_and_not_past_it(
    cli: Cli, poem: str, n_more: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = " ".join(WORDS[:59])
    Path("mine.txt").write_text(text)
    monkeypatch.setattr(uncredited, "HINT_BYTES", len(text) - n_more)
    cli("verify", "poem.txt")
    ran = cli("contribute", "mine.txt", "--title", "Mine", "--as", "Bo").ok()
    assert ('"Poem"' in ran.err) is not bool(n_more)


def test_a_sample_is_noticed_where_the_extra_is_installed(cli: Cli, story: dict[str, str]) -> None:
    pytest.importorskip("iscc_lib")
    sample = Random(1).randbytes(200_000)
    Path("sample.bin").write_bytes(sample)
    Path("mix.bin").write_bytes(Random(2).randbytes(100_000) + sample)
    cli("contribute", "sample.bin", "--title", "Sample", "--as", "Ana").ok()
    ran = cli("contribute", "mix.bin", "--title", "Mix", "--as", "Bo").ok()
    assert '"Sample"' in ran.err
