"""Addresses of daemons, and the file of credentials."""

from __future__ import annotations

from pathlib import Path

import pytest

from hitp2p.errors import KeyFileError, UsageError
from hitp2p.store.kubo_address import parse_kubo_address, read_credentials

LOCAL = parse_kubo_address("kubo:/ip4/127.0.0.1/tcp/5001")


@pytest.mark.parametrize(
    ("text", "is_private"),
    [
        ("/ip4/127.0.0.1/tcp/5001", True),
        ("/ip4/127.9.9.9/tcp/1/http", True),
        ("/ip6/::1/tcp/5001", True),
        ("/unix/run/ipfs/api.sock", True),
        ("/dns4/ipfs.example/tcp/443/https", True),
        ("/ip4/192.0.2.1/tcp/5001", False),
        ("/dns/localhost/tcp/5001", False),
        ("/dns6/ipfs.example/tcp/65535/http", False),
    ],
)
def test_an_address_says_whether_others_can_listen(text: str, is_private: bool) -> None:
    address = parse_kubo_address("kubo:" + text)
    assert (address.multiaddress, address.is_private) == (text, is_private)
    assert parse_kubo_address(text) == address
    assert str(address) == "kubo:" + text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "kubo:",
        "kubo:/",
        "http://127.0.0.1:5001",
        "ip4/127.0.0.1/tcp/5001",
        "/ip4/127.0.0.1",
        "/ip4/127.0.0.1/udp/5001",
        "/ip4/127.0.0.1/tcp/0",
        "/ip4/127.0.0.1/tcp/65536",
        "/ip4/127.0.0.1/tcp/50x1",
        "/ip4/127.0.0.1/tcp/5001/ws",
        "/ip4/127.0.0.1/tcp/5001/http/x",
        "/ip4/::1/tcp/5001",
        "/ip6/127.0.0.1/tcp/5001",
        "/ip4/localhost/tcp/5001",
        "/dns4//tcp/5001",
        "/p2p/x/tcp/5001",
    ],
)
def test_what_is_no_address_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError, match="one looks like kubo:/ip4"):
        parse_kubo_address(text)


def test_a_socket_with_capital_letters_is_refused_with_the_reason() -> None:
    with pytest.raises(UsageError, match="capital letters"):
        parse_kubo_address("kubo:/unix/run/IPFS.sock")


def keep(path: Path, text: str, mode: int = 0o600) -> Path:
    path.write_text(text)
    path.chmod(mode)
    return path


@pytest.mark.parametrize(
    ("text", "header"),
    [
        ("bearer:s3cret\n", "Bearer s3cret"),
        ("bearer:with:colon", "Bearer with:colon"),
        ("basic:ana:pass:word\n", "Basic YW5hOnBhc3M6d29yZA=="),
    ],
)
def test_credentials_become_a_header(tmp_path: Path, text: str, header: str) -> None:
    assert read_credentials(keep(tmp_path / "auth", text), LOCAL) == header


@pytest.mark.parametrize(
    "text", ["", "s3cret", "bearer:", "basic:ana", "token:x", "bearer:a\nb", "bearer:é"]
)
def test_other_files_hold_no_credentials(tmp_path: Path, text: str) -> None:
    with pytest.raises(KeyFileError, match="holds no credentials"):
        read_credentials(keep(tmp_path / "auth", text), LOCAL)


def test_a_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError):
        read_credentials(keep(tmp_path / "auth", "bearer:x", 0o640), LOCAL)
    with pytest.raises(KeyFileError):
        read_credentials(tmp_path / "absent", LOCAL)


def test_credentials_do_not_travel_in_the_clear(tmp_path: Path) -> None:
    far = parse_kubo_address("/ip4/192.0.2.1/tcp/5001")
    with pytest.raises(UsageError, match="in the clear"):
        read_credentials(keep(tmp_path / "auth", "bearer:x"), far)
