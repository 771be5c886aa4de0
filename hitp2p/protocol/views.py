"""What a node tells of its connections and topics, for status."""

from __future__ import annotations

from hitp2p.codec.cid import Cid
from hitp2p.dataclass import dataclass
from hitp2p.protocol.comparing import Comparing
from hitp2p.protocol.session import Session
from hitp2p.protocol.topics import Topic, Topics

__all__ = ["PeerView", "TopicView", "view_peer", "view_topic"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerView:
    """A connection, for status."""

    link: int
    key: bytes
    host: str
    address: str | None
    """What was dialled; None if they dialled."""
    is_open: bool
    """Whether both have said HELLO."""
    agent: str
    """Its program, as it says; foreign text."""
    since: float
    """When it began, by the clock that never goes back."""
    in_bytes: int
    out_bytes: int
    queued_bytes: int
    n_brought: int
    """Objects that were new and came from it."""
    topics: tuple[Cid, ...]
    """Those of ours that it follows."""
    lagging: tuple[Cid, ...]
    """Those in which something for it was dropped, or is to be compared."""
    in_step: tuple[Cid, ...]
    """Those in which it has said the same as we."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicView:
    """A topic, for status."""

    topic: Cid
    scope: int
    media: int
    n_members: int
    """Of the widest set that is kept."""
    n_peers: int
    """Connections that follow it."""
    n_wanted: int
    """Blocks that are known to exist and aren't here."""
    compared: float | None
    """When a comparison last found it in step with a peer, by the clock that never goes back."""


def view_peer(session: Session, comparing: Comparing) -> PeerView:
    """What there is to say of a connection."""
    in_step = [one for one in session.follows if comparing.in_step(session, one) is not None]
    return PeerView(
        link=session.link,
        key=session.key,
        host=session.host,
        address=session.address,
        is_open=session.is_open,
        agent="" if session.hello is None else session.hello.agent,
        since=session.since,
        in_bytes=session.in_bytes,
        out_bytes=session.out_bytes,
        queued_bytes=session.queued_bytes,
        n_brought=session.n_brought,
        topics=tuple(session.follows),
        lagging=tuple(session.lagging),
        in_step=tuple(in_step),
    )


def view_topic(topic: Topic, topics: Topics, n_wanted: int) -> TopicView:
    """What there is to say of a topic."""
    return TopicView(
        topic=topic.cid,
        scope=topic.scope,
        media=topic.media,
        n_members=len(topic.widest.keys),
        n_peers=len(topics.followers(topic.cid)),
        n_wanted=n_wanted,
        compared=topic.compared if topic.compared > float("-inf") else None,
    )
