"""TLS between nodes: both prove the key that they are known by, and nothing else is taken for it [NET-3]."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding
from node_world import AUTHORITY, context, contexts_of, leaf, node_key, shake_hands, within

from hitp2p.errors import PeerError
from hitp2p.node.tls import make_contexts, node_certificate, open_authority, secure

SERVER, CLIENT = ssl.PROTOCOL_TLS_SERVER, ssl.PROTOCOL_TLS_CLIENT


def run(function: Any, *arguments: Any) -> Any:
    return trio.run(function, *arguments)


def both(dialler: Any, listener: Any, dialled: bytes) -> Any:
    async def main() -> Any:
        with within():
            return await shake_hands(dialler, listener, dialled=dialled)

    return trio.run(main)


def refused_as_server(folder: Path, **stranger: Any) -> tuple[str, str]:
    """What an honest dialler says to a stranger that listens, and what an honest listener to one that dials."""
    me = contexts_of(1, folder)
    said, _ = both(me.client, context(folder, SERVER, **stranger), node_key(2).public)
    _, heard = both(context(folder, CLIENT, **stranger), me.server, node_key(1).public)
    assert isinstance(said, PeerError)
    assert isinstance(heard, PeerError)
    return str(said), str(heard)


def test_net_3_both_sides_learn_the_others_key(tmp_path: Path) -> None:
    dialler, listener = both(
        contexts_of(1, tmp_path).client, contexts_of(2, tmp_path).server, node_key(2).public
    )
    assert dialler[1] == node_key(2).public
    assert listener[1] == node_key(1).public


def test_net_3_speaks_tls_1_3_alone_and_remembers_no_session(tmp_path: Path) -> None:
    (inside, _), _ = both(
        contexts_of(1, tmp_path).client, contexts_of(2, tmp_path).server, node_key(2).public
    )
    assert inside.version() == "TLSv1.3"
    assert inside.selected_alpn_protocol() == "hitp2p/1"

    async def main() -> None:
        """Even a client that would take tickets gets none."""
        with within():
            (ours, _), (theirs, _) = await shake_hands(
                contexts_of(1, tmp_path).client,
                contexts_of(2, tmp_path).server,
                dialled=node_key(2).public,
            )
            await theirs.send_all(b"hello")
            assert await ours.receive_some() == b"hello"
            assert not ours.session.has_ticket
            assert not ours.session_reused

    run(main)


def test_net_3_ends_the_connection_where_another_key_answers(tmp_path: Path) -> None:
    dialler, _ = both(
        contexts_of(1, tmp_path).client, contexts_of(2, tmp_path).server, node_key(3).public
    )
    assert isinstance(dialler, PeerError)
    assert f"{node_key(2).peer_id} answers in place of {node_key(3).peer_id}" in str(dialler)


def test_net_3_refuses_who_shows_no_certificate(tmp_path: Path) -> None:
    _, heard = both(context(tmp_path, CLIENT), contexts_of(1, tmp_path).server, node_key(1).public)
    assert isinstance(heard, PeerError)
    assert "peer did not return a certificate" in str(heard)


def test_net_3_refuses_an_expired_certificate(tmp_path: Path) -> None:
    key = Ed25519PrivateKey.generate()
    old = leaf(key.public_key(), until=datetime.now(UTC) - timedelta(days=1))
    for said in refused_as_server(tmp_path, certificate=old, key=key):
        assert "certificate has expired" in said


def test_net_3_refuses_a_certificate_of_an_rsa_key(tmp_path: Path) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    for said in refused_as_server(tmp_path, certificate=leaf(key.public_key()), key=key):
        assert "no Ed25519 key" in said


def test_net_3_refuses_a_certificate_that_another_authority_signed(tmp_path: Path) -> None:
    key, other = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    for issuer in ("hitp2p open authority", "somebody"):
        mine = leaf(key.public_key(), signed_by=other, issuer=issuer)
        for said in refused_as_server(tmp_path, certificate=mine, key=key):
            assert "its certificate is refused" in said


def test_net_3_refuses_tls_1_2(tmp_path: Path) -> None:
    me, key = contexts_of(1, tmp_path), Ed25519PrivateKey.generate()
    for side in (SERVER, CLIENT):
        old = context(tmp_path, side, certificate=leaf(key.public_key()), key=key)
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_2
        pair = (me.client, old) if side == SERVER else (old, me.server)
        outcomes = both(*pair, node_key(1).public)
        mine = outcomes[0 if side == SERVER else 1]
        assert isinstance(mine, PeerError), side
        assert ("unexpected eof" if side == SERVER else "unsupported protocol") in str(mine)


@pytest.mark.parametrize("alpn", [(), ("h2",), ("hitp2p/2",)])
def test_net_3_refuses_another_protocol(tmp_path: Path, alpn: tuple[str, ...]) -> None:
    key = Ed25519PrivateKey.generate()
    mine = leaf(key.public_key())
    for said in refused_as_server(tmp_path, certificate=mine, key=key, alpn=alpn):
        assert "doesn't speak hitp2p/1" in said


def test_net_3_nobody_can_show_the_certificate_of_another(tmp_path: Path) -> None:
    """It is public, but the handshake asks for the private half."""
    mine = Ed25519PrivateKey.generate()
    with pytest.raises(ssl.SSLError, match="key values mismatch"):
        context(tmp_path, CLIENT, certificate=node_certificate(node_key(2).public), key=mine)


def test_net_3_a_stranger_with_the_open_authority_is_only_ever_themself(tmp_path: Path) -> None:
    """Anybody may sign a certificate with any name in it; who they are is their key."""
    key = Ed25519PrivateKey.generate()
    stranger = context(tmp_path, CLIENT, certificate=leaf(key.public_key()), key=key)
    _, (_, found) = both(stranger, contexts_of(1, tmp_path).server, node_key(1).public)
    assert found == key.public_key().public_bytes_raw()


def test_net_3_the_bytes_of_certificates_never_change() -> None:
    """As of the first release; other programs make the same ones from the seed in spec/10."""
    authority = open_authority().public_bytes(Encoding.DER)
    mine = node_certificate(node_key(1).public).public_bytes(Encoding.DER)
    open_authority().public_key().verify(  # type: ignore[call-arg, union-attr]
        open_authority().signature, open_authority().tbs_certificate_bytes
    )
    assert AUTHORITY.public_key() == open_authority().public_key()
    assert (sha256(authority).hexdigest(), sha256(mine).hexdigest()) == (
        "7f283b03b01d2a3d32506b4d7f26a0180887b49ee71b3623811406489f58edda",
        "f5c8259c1082e6b54c5b9f3cda2f4b69ed19c081ac6b74ba067906e85017fa7a",
    )


def test_the_private_key_stays_in_no_other_file(tmp_path: Path) -> None:
    make_contexts(node_key(1), tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "garbage", [b"GET / HTTP/1.1\r\n\r\n", b"\0" * 64, b"\x16\x03\x01\xff\xff" * 40]
)
def test_garbage_before_tls_is_turned_away(tmp_path: Path, garbage: bytes) -> None:
    async def main() -> None:
        ours, theirs = trio.testing.memory_stream_pair()
        with within():
            await theirs.send_all(garbage)
            await theirs.send_stream.aclose()
            with pytest.raises(PeerError, match="the TLS handshake failed"):
                await secure(ours, contexts_of(1, tmp_path).server, dialled=None)
            with pytest.raises(trio.ClosedResourceError):
                await ours.send_all(b"x")

    run(main)


def test_a_handshake_that_is_cancelled_at_any_point_leaves_nothing_open(tmp_path: Path) -> None:
    me, other = contexts_of(1, tmp_path), contexts_of(2, tmp_path)

    async def cut_after(n_steps: int, *, dials: bool) -> bool:
        """Whether the handshake was over first. Cancels at the n-th time that bytes are waited for."""
        ours, theirs = trio.testing.memory_stream_pair()
        scope = trio.CancelScope()
        left = n_steps

        def count_sends(stream: Any) -> None:
            pass_on = stream.send_stream.send_all_hook

            async def step() -> None:
                nonlocal left
                left -= 1
                if left == 0:
                    scope.cancel()
                await pass_on()

            stream.send_stream.send_all_hook = step

        count_sends(ours)
        count_sends(theirs)

        async def honest() -> None:
            with scope:
                if dials:
                    await secure(ours, me.client, dialled=node_key(2).public)
                else:
                    await secure(ours, me.server, dialled=None)
                return
            with pytest.raises(trio.ClosedResourceError):
                await ours.send_all(b"x")

        async def opposite() -> None:
            try:
                if dials:
                    await secure(theirs, other.server, dialled=None)
                else:
                    await secure(theirs, other.client, dialled=node_key(1).public)
            except PeerError:
                return

        async with trio.open_nursery() as nursery:
            nursery.start_soon(honest)
            nursery.start_soon(opposite)
        return not scope.cancelled_caught

    async def main() -> None:
        with within():
            for dials in (True, False):
                steps = 1
                while not await cut_after(steps, dials=dials):
                    steps += 1
                assert steps > 2

    run(main)
