"""Deny lists of IPIP-383; the names and verdicts are those of its own examples and of its reference tests."""

from __future__ import annotations

from hashlib import sha256, sha512

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multiformats import multibase

from hitp2p.codec.cid import RAW, Cid
from hitp2p.errors import UsageError
from hitp2p.node.denylist import LINE_BYTES, DenyList, parse_denylist

PLAIN = "bafybeihvvulpp4evxj7x7armbqcyg6uezzuig6jp3lktpbovlqfkuqeuoq"
EVERYTHING_BELOW = "QmdWFA9FL52hx3j9EJZPQP1ZUH8Ygi5tLCX2cRDs6knSf8"
SOME_BELOW = "Qmah2YDTfrox4watLCr3YgKyBwvjq8FJZEFdWY6WtJ3Xt2"
FOLDER_BELOW = "QmTuvSQbEDR3sarFAN9kAeXBpiBCyYYNxdxciazBba11eC"
EXCEPTIONS = "QmUboz9UsQBDeS6Tug1U8jgoFkgYxyYood9NDyVURAY9pK"
KEY = "k51qzi5uqu5dhmzyv3zac033i7rl9hkgczxyl81lwoukda2htteop7d3x0y1mf"
LEGACY = "bafybeiefwqslmf6zyyrxodaxx4vwqircuxpza5ri45ws3y5a62ypxti42e"
HASHED = "QmVTF1yEejXd9iMgoRTFDxBv7HAz9kuZcQNBzHrceuK9HR"
EXAMPLE = f"""version: 1
name: "Bad things"
description: >
  What we have found,
  in many words
author: abuse@example.com
custom:
  - anything
hints:
  gateway_status: 410
---
# a comment, and an empty line

/ipfs/{PLAIN} reason:spam by:me
/ipfs/{EVERYTHING_BELOW}/*
/ipfs/{SOME_BELOW}/test*
/ipfs/{FOLDER_BELOW}/test/*
/ipfs/{EXCEPTIONS}/blocked*
!/ipfs/{EXCEPTIONS}/blockednot
!/ipfs/{EXCEPTIONS}/blocked/not
!/ipfs/{EXCEPTIONS}/blocked/exceptions*
/ipns/domain.example
/ipns/domain2.example/path
/ipns/{KEY}
//d9d295bde21f422d471a90f2a37ec53049fdf3e5fa3ee2e8f20e10003da429e7
//3f8b9febd851873b3774b937cce126910699ceac56e72e64b866f8e258d09572
//c555c4de78827ba42527dd3dc5398db38d6c0a8c345a88e0158b2d100f317e50
//QmX9dhRcQcKUw3Ws8485T5a9dtjrSCQaUAHnG4iK9i4ceM
"""
LIST = parse_denylist(EXAMPLE)


def test_the_header_is_read_and_what_it_says_beside_is_passed_over() -> None:
    assert (LIST.name, LIST.author) == ("Bad things", "abuse@example.com")
    assert LIST.hints == {"gateway_status": "410"}
    assert (LIST.n_rules, LIST.faults) == (15, ())


@pytest.mark.parametrize(
    "cid",
    [
        PLAIN,
        "bafkreihvvulpp4evxj7x7armbqcyg6uezzuig6jp3lktpbovlqfkuqeuoq",  # another codec
        "QmesfgDQ3q6prBy2Kg2gKbW4MAGuWiRP2DVuGA5MZSERLo",  # version 0
        EVERYTHING_BELOW,
        LEGACY,
        HASHED,
        "bafybeidjwik6im54nrpfg7osdvmx7zojl5oaxqel5cmsz46iuelwf5acja",
    ],
)
def test_a_block_is_blocked_under_every_name_of_its_hash(cid: str) -> None:
    assert LIST.find(Cid.parse(cid)) is not None


@pytest.mark.parametrize(
    "cid",
    [
        "QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn",
        "bafyaabakaieac",
        "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku",
        "bafkqaaa",
        "QmbFMke1KXqnYyBBWxB74N4c5SBnJMVAiMNRcGu6x1AwQH",
        "bafyreigbtj4x7ip5legnfznufuopl4sg4knzc2cof6duas4b3q2fy6swua",
        SOME_BELOW,
        EXCEPTIONS,
    ],
)
def test_other_blocks_are_not(cid: str) -> None:
    assert LIST.find(Cid.parse(cid)) is None


@pytest.mark.parametrize(
    ("cid", "path", "is_blocked"),
    [
        (PLAIN, "sub", False),
        (EVERYTHING_BELOW, "a/b", True),
        (EVERYTHING_BELOW, "z/", True),
        (SOME_BELOW, "test", True),
        (SOME_BELOW, "test2", True),
        (SOME_BELOW, "test/one", True),
        (SOME_BELOW, "tes", False),
        (SOME_BELOW, "one/test", False),
        (FOLDER_BELOW, "test2", True),
        (FOLDER_BELOW, "tes", False),
        (EXCEPTIONS, "blocked", True),
        (EXCEPTIONS, "blocked2", True),
        (EXCEPTIONS, "blockednot", False),
        (EXCEPTIONS, "blocked/not", False),
        (EXCEPTIONS, "blocked/exceptions2", False),
        (EXCEPTIONS, "blocked/exceptions/one", False),
        (LEGACY, "path", True),
        (LEGACY, "path2", False),
    ],
)
def test_paths_are_blocked_as_the_last_line_that_fits_says(
    cid: str, path: str, is_blocked: bool
) -> None:
    assert (LIST.find(Cid.parse(cid), path) is not None) == is_blocked


@pytest.mark.parametrize(
    ("name", "path", "is_blocked"),
    [
        ("domain.example", "", True),
        ("domain-example", "", True),
        ("domain--example", "", False),
        ("domainaefa.example", "", False),
        ("domain.example", "path", False),
        ("domain2.example", "path", True),
        ("domain2.example", "", False),
        ("domain2.example", "path2", False),
        ("bad-domain-name.tld", "", True),
        (KEY, "", True),
        ("bafzaajaiaejcaotjfs57kieazxny5japcmy5p2pgv2cic77tu6ogghttvurnrufx", "", True),
        ("12D3KooWDkNqEJNmreF3NYYFK1ws7Ra2fuW6cHBTu567SPV3LdYA", "", True),
        ("12D3KooWDkNqEJNmreF3NYYFK1ws7Ra2fuW6cHBTu567SPV3LdYA", "path", False),
    ],
)
def test_names_are_blocked_in_every_spelling(name: str, path: str, is_blocked: bool) -> None:
    assert (LIST.find_name(name, path) is not None) == is_blocked


def test_a_rule_says_where_it_stands_and_what_it_tells_programs() -> None:
    rule = LIST.find(Cid.parse(PLAIN))
    assert rule is not None
    assert (rule.line, rule.text) == (
        EXAMPLE.split("\n").index(f"/ipfs/{PLAIN} reason:spam by:me") + 1,
        f"/ipfs/{PLAIN}",
    )
    assert rule.hints == (("reason", "spam"), ("by", "me"))


def test_a_later_line_blocks_again_what_was_allowed() -> None:
    cid = Cid.of(RAW, b"content")
    lines = [f"/ipfs/{cid}", f"!/ipfs/{cid}", f"/ipfs/{cid}"]
    found = [parse_denylist("\n".join(lines[:n])).find(cid) is not None for n in range(4)]
    assert found == [False, True, False, True]


def test_paths_are_percent_encoded() -> None:
    found = parse_denylist(f"/ipfs/{PLAIN}/caf%C3%A9%20noir")
    assert found.find(Cid.parse(PLAIN), "café noir") is not None


def test_other_hash_functions_hash_twice_too() -> None:
    cid = Cid.of(RAW, b"content")
    once = multibase.encode("base58btc", b"\x12\x20" + cid.digest)[1:]
    twice = b"\x13\x40" + sha512(f"{once}/a/b".encode()).digest()
    found = parse_denylist("//" + multibase.encode("base58btc", twice)[1:])
    assert found.find(cid, "/a/b/") is not None
    assert found.find(cid) is None
    assert found.find_name("a.example") is None


def test_what_could_be_either_sort_of_double_hash_is_both() -> None:
    text = "1" * 63 + "2"  # base58 digits as well; as such it is no multihash
    assert parse_denylist(f"//{text}").n_rules == 1
    cid = Cid.of(RAW, b"x")
    legacy = sha256(f"{cid}/".encode()).hexdigest()
    assert parse_denylist(f"//{legacy}").find(cid) is not None


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("/ipfs/", "neither"),
        ("/ipfs/notacid", "no CID"),
        ("/ipld/x", "neither"),
        ("ipfs/" + PLAIN, "neither"),
        ("//", "no double hash"),
        ("//zzz", "no double hash"),
        ("//QmbK7LDv5NNBvYQzNfm2eED17SNLt1yNMapcUhSuNLgkqz0", "no double hash"),
        # by BLAKE3, which Python doesn't have
        ("//gW813G35CnLsy7gRYYHuf63hrz71U1xoLFDVeV7actx6oX", "function 0x1e"),
        ("/ipfs/" + "b" * 100_000, "no CID"),
        ("/ipns/a/" + "p" * LINE_BYTES, "more than 2,097,152 bytes"),
    ],
)
def test_a_line_that_cant_be_read_is_reported_and_the_rest_holds(line: str, message: str) -> None:
    found = parse_denylist(f"{line}\n/ipfs/{PLAIN}\n")
    ((number, said),) = found.faults
    assert (number, message in said) == (1, True)
    assert found.find(Cid.parse(PLAIN)) is not None


def test_a_line_of_two_mib_is_read() -> None:
    line = "/ipns/a/"
    assert parse_denylist(line + "p" * (LINE_BYTES - len(line))).n_rules == 1


@pytest.mark.parametrize("text", ["version: 2\n---\n", "no field\n---\n", "version:\n---\n"])
def test_a_list_whose_header_is_another_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_denylist(text)


@pytest.mark.parametrize(
    "text", [f"/ipfs/{PLAIN}", f"---\n/ipfs/{PLAIN}\n", f"---\r\n/ipfs/{PLAIN}\r\n"]
)
def test_a_header_may_be_left_out(text: str) -> None:
    assert parse_denylist(text).find(Cid.parse(PLAIN)) is not None


def test_a_header_that_is_too_long_is_read_as_rules() -> None:
    text = "a: b\n" * 210_000 + f"---\n/ipfs/{PLAIN}\n"
    found = parse_denylist(text)
    assert len(found.faults) == 210_001
    assert found.n_rules == 1


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        found = parse_denylist(text)
    except UsageError:
        return
    assert isinstance(found, DenyList)
    assert found.find(Cid.of(RAW, b"x")) is None
