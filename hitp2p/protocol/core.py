"""`NodeCore`: a node without I/O. Bytes, time and answers of the store go in by `on_...`; what is to be done comes out of `actions`.

The core is foreign to files, sockets, clocks, threads and chance; the same calls give the same actions, so any run can be made again.
It is called by one thread at a time. None of the `on_...` raises for anything that a peer did.

Which part does what: `session.py` one connection; `dialling.py` whom to dial and let in; `topics.py` sets and followers; `comparing.py`
finds what differs; `fetching.py` gets it; `admitting.py` has it judged; `intake.py` says what follows; `waiting.py` keeps orphans; `gossip.py` pushes what is new;
`serving.py` answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from hitp2p import limits
from hitp2p.codec.cid import DAG_CBOR, Cid
from hitp2p.protocol.actions import Action, Admitted, Member, Moment
from hitp2p.protocol.addresses import AddressBook
from hitp2p.protocol.admitting import Admitting
from hitp2p.protocol.chance import Chance
from hitp2p.protocol.comparing import Comparing
from hitp2p.protocol.conduct import Bans
from hitp2p.protocol.config import NodeConfig, make_hello
from hitp2p.protocol.desk import Desk, Turn
from hitp2p.protocol.dialling import Dialling
from hitp2p.protocol.fetching import Fetching
from hitp2p.protocol.gossip import Gossip
from hitp2p.protocol.intake import Intake
from hitp2p.protocol.messages import (
    Follow,
    Followed,
    Heads,
    Notice,
    Push,
    Request,
)
from hitp2p.protocol.ranges import cid_of
from hitp2p.protocol.rates import Rates
from hitp2p.protocol.serving import Serving
from hitp2p.protocol.session import Session
from hitp2p.protocol.topics import Topics
from hitp2p.protocol.views import PeerView, TopicView, view_peer, view_topic
from hitp2p.protocol.waiting import Waiting

__all__ = ["NodeConfig", "NodeCore", "PeerView", "TopicView"]


class NodeCore:
    """The core of one node."""

    def __init__(
        self,
        *,
        me: bytes,
        config: NodeConfig,
        book: AddressBook,
        bans: Bans,
        chance: Chance,
        now: Moment,
    ) -> None:
        """A node that follows nothing and knows whom `book` and `config` name. `me`: its node key."""
        self._config = config
        self._bans = bans
        self._desk = desk = Desk(me=me, chance=chance, now=now)
        self._rates = Rates()
        self._sessions: dict[int, Session] = {}
        self._topics = Topics()
        self._waiting = Waiting()
        self._admitting = Admitting(desk, self._topics, self._waiting)
        self._fetching = Fetching(desk, self._topics, self._admitting)
        self._gossip = Gossip(desk, self._topics)
        self._comparing = Comparing(
            desk, self._topics, self._admitting, self._fetching, self._gossip
        )
        self._fetching.settling = self._comparing
        self._intake = Intake(
            desk,
            topics=self._topics,
            waiting=self._waiting,
            admitting=self._admitting,
            fetching=self._fetching,
            gossip=self._gossip,
            comparing=self._comparing,
            sessions=self._sessions,
            bans=bans,
        )
        self._admitting.told = self._intake
        self._serving = Serving(desk, self._topics)
        self._dialling = Dialling(desk, config, book, bans, self._sessions)
        self._serving.tell_peers = self._dialling.answer
        self._must_say_follow = False
        self._new_topics: dict[Cid, None] = {}
        self._owed_follow: dict[int, None] = {}
        """Connections in whose queue FOLLOW had no room."""

    # --- topics ---------------------------------------------------------------------------------

    def follow(
        self, topic: Cid, *, scope: int, media: int, members: Iterable[Member], now: Moment
    ) -> None:
        """Keep a topic in step from now on; in place of how it was followed before.

        Args:
            topic: never an unlisted project [NET-12].
            scope: 0 accepted, 1 all.
            media: 0 none, 1 previews, 2 all.
            members: of all sets that are kept; with scope 1 those of scope 0 too, as such.

        Raises:
            UsageError: 1,024 topics are followed already.
        """
        with self._at(now):
            self._forget_topic(topic)
            self._topics.follow(topic, scope, media, members)
            self._topics.meet(topic, self._sessions.values())
            self._admitting.judged.clear()
            self._must_say_follow = True
            self._new_topics[topic] = None
            self._set_next_comparison(topic)

    def unfollow(self, topic: Cid, now: Moment) -> None:
        """Keep a topic in step no more."""
        with self._at(now):
            self._forget_topic(topic)
            self._topics.unfollow(topic)
            self._must_say_follow = True

    def _forget_topic(self, topic: Cid) -> None:
        self._comparing.drop_topic(topic)
        self._fetching.drop_topic(topic)
        self._waiting.drop_topic(topic)
        self._new_topics.pop(topic, None)
        self._desk.alarms.drop(("compare", topic))

    def _say_follow(self) -> None:
        """Tell all peers what is followed now, and compare what is new."""
        self._must_say_follow = False
        for session in [one for one in self._sessions.values() if one.is_open]:
            self._send_follow(session)
        new, self._new_topics = self._new_topics, {}
        for topic in new:
            for session in self._topics.followers(topic):
                self._meet(session, topic)

    def _send_follow(self, session: Session) -> None:
        if session.has_room:
            self._owed_follow.pop(session.link, None)
            followed = tuple(Followed(t.cid, t.scope, t.media) for t in self._topics)
            session.send(Follow(topics=followed))
        else:
            self._owed_follow[session.link] = None

    def _set_next_comparison(self, topic: Cid) -> None:
        in_s = self._config.compare_every_s * (0.75 + self._desk.chance.random() / 2)
        self._desk.set_alarm(("compare", topic), in_s, lambda: self._compare_one(topic))

    def _compare_one(self, topic: Cid) -> None:
        """Compare a topic with one peer of chance."""
        if self._topics.get(topic) is None:
            return
        followers = self._topics.followers(topic)
        if followers:
            peer = followers[self._desk.chance.below(len(followers))]
            self._comparing.want(peer, topic)
        self._set_next_comparison(topic)

    def compare_now(self, now: Moment) -> None:
        """Compare every topic with every peer that follows it."""
        with self._at(now):
            for topic in self._topics:
                for session in self._topics.followers(topic.cid):
                    self._comparing.want(session, topic.cid)

    # --- connections ----------------------------------------------------------------------------

    def connect(self, key: bytes, address: str, now: Moment) -> None:
        """Dial a peer that the operator names, whenever it isn't connected, until `disconnect`.

        Raises:
            UsageError: the address names another key, or too many are named.
            InvalidError: it is no address.
        """
        with self._at(now):
            self._dialling.name(key, address)

    def disconnect(self, key: bytes, now: Moment) -> None:
        """End the connection with a peer, and dial it no more of our own accord."""
        with self._at(now):
            self._dialling.unname(key)
            for session in [one for one in self._sessions.values() if one.key == key]:
                session.end("leaving", "the operator ended it")

    def leave(self, now: Moment) -> None:
        """End all connections, as the node stops; nobody is dialled or let in after this."""
        with self._at(now):
            self._dialling.is_leaving = True
            for session in list(self._sessions.values()):
                session.end("leaving", "the node stops")

    def set_record(self, block: bytes) -> None:
        """Say this of ourselves to who asks for addresses: a signed record, to be made anew every day [NET-20]."""
        self._dialling.own_record = block

    def on_connected(
        self,
        link: int,
        key: bytes,
        host: str,
        *,
        address: str | None,
        token: int | None,
        now: Moment,
    ) -> None:
        """A connection stands, and the other side has proven that it holds `key`.

        Args:
            link: a number that was never used before.
            host: of the other side, as the socket says.
            address: what was dialled; None if they dialled.
            token: of the Dial; None if they dialled.
        """
        with self._at(now):
            session = Session(
                self._desk,
                self,
                self._rates,
                self._bans,
                link=link,
                key=key,
                host=host,
                address=address,
            )
            self._sessions[link] = session
            self._dialling.on_connected(key, address, token)
            session.send(make_hello(self._config, self._desk.chance))
            refusal = self._dialling.refusal(session)
            if refusal is not None:
                session.end(*refusal)

    def on_bytes(self, link: int, data: bytes, now: Moment) -> None:
        """Bytes came."""
        with self._at(now):
            if (session := self._sessions.get(link)) is not None:
                session.on_bytes(data)

    def on_written(self, link: int, n_bytes: int, now: Moment) -> None:
        """So many bytes of what was to be sent have gone."""
        with self._at(now):
            if (session := self._sessions.get(link)) is not None:
                session.on_written(n_bytes)

    def on_closed(self, link: int, now: Moment) -> None:
        """A connection is at its end, whoever ended it."""
        with self._at(now):
            session = self._sessions.pop(link, None)
            if session is not None:
                session.on_closed()

    def on_dial_failed(self, token: int, text: str, now: Moment) -> None:
        """A dial led to nothing; `text` says why."""
        with self._at(now):
            self._dialling.on_failed(token)
            self._desk.tell("dial-failed", text=text)

    # --- what the store says --------------------------------------------------------------------

    def on_admitted(self, token: int, admitted: Admitted, now: Moment) -> None:
        """What came of an `Admit`."""
        with self._at(now):
            self._admitting.on_admitted(token, admitted)

    def on_loaded(self, token: int, blocks: Mapping[Cid, bytes], now: Moment) -> None:
        """What came of a `Load`."""
        with self._at(now):
            if not self._serving.on_loaded(token, blocks):
                self._gossip.on_loaded(token, blocks)

    def on_local(self, admitted: Admitted, now: Moment) -> None:
        """Others than this core have stored something, or the shell names what is wanted (`wants` alone)."""
        with self._at(now):
            self._intake.take_in(admitted, {}, {})

    def short_of_wants(self) -> tuple[Cid, ...]:
        """Topics whose pages, texts and media the shell is to name again by `on_local`; to be asked now and then."""
        return self._fetching.short_of_wants()

    # --- what a session says --------------------------------------------------------------------

    def on_open(self, session: Session) -> None:
        """See `Parts`."""
        self._fetching.add_peer(session)
        self._desk.tell("connected", peer=session.key, text=session.host)
        self._send_follow(session)
        if session.dialled:
            self._dialling.ask_for_peers(session)

    def on_notice(self, session: Session, message: Notice) -> None:
        """See `Parts`."""
        if isinstance(message, Follow):
            for topic in self._topics.on_follow(session, message):
                self._meet(session, topic)
        elif isinstance(message, Push) and self._topics.get(message.topic) is not None:
            come = [(Cid.of(DAG_CBOR, block), block) for block in message.objects]
            self._admitting.take(session, message.topic, come)
            offered = map(cid_of, message.cids)
            if not self._fetching.want_members(session, message.topic, offered):
                session.lag(message.topic)

    def _meet(self, session: Session, topic: Cid) -> None:
        """Both follow a topic: who has the smaller key begins to compare."""
        self._fetching.meet(session, topic)
        if self._desk.me < session.key:
            self._comparing.want(session, topic)

    def on_request(self, session: Session, number: int, message: Request) -> None:
        """See `Parts`."""
        self._serving.on_request(session, number, message)
        if isinstance(message, Heads):
            found = self._topics.get(message.topic)
            members = None if found is None else found.sets.get(message.scope)
            if members is not None:
                self._comparing.on_heads(session, message, members)

    def on_room(self, session: Session) -> None:
        """See `Parts`."""
        if session.link in self._owed_follow:
            self._send_follow(session)
        self._serving.pump(session)
        self._comparing.pump(session)
        self._fetching.pump(session)

    def on_lagging(self, session: Session) -> None:
        """See `Parts`."""
        if session.queued_bytes * 2 > limits.NODE_QUEUE_BYTES:
            session.lag(next(iter(session.lagging)))
        else:
            self._comparing.compare_lagging(session)

    def on_ended(self, session: Session) -> None:
        """See `Parts`."""
        self._topics.drop(session)
        self._comparing.drop_peer(session)
        self._serving.drop(session)
        self._fetching.drop_peer(session)
        self._dialling.on_ended(session)
        for name in ("peers", "settled", "ranges"):
            self._desk.alarms.drop((name, session.link))
        self._owed_follow.pop(session.link, None)
        if session.hello is not None:
            self._desk.tell("disconnected", peer=session.key)

    # --- time and status ------------------------------------------------------------------------

    def on_time(self, now: Moment) -> None:
        """Do what is due."""
        with self._at(now):
            pass

    def next_time(self) -> float:
        """When something is due, by the clock that never goes back; infinity if nothing is."""
        return self._desk.alarms.next()

    def actions(self) -> list[Action]:
        """What is to be done, each once, in order."""
        if self._must_say_follow:
            with self._at(self._desk.now):
                self._say_follow()
        return self._desk.take_actions()

    def _at(self, now: Moment) -> Turn:
        return self._desk.begin(now)

    @property
    def is_idle(self) -> bool:
        """Whether nothing is compared, judged or fetched; what nobody has aside."""
        open_still = self._comparing.n_open() + len(self._admitting) + self._fetching.n_under_way()
        return not open_still and not any(one.lagging for one in self._sessions.values())

    def peers(self) -> tuple[PeerView, ...]:
        """The connections, in the order of their beginning."""
        return tuple(
            view_peer(one, self._comparing) for one in self._sessions.values() if not one.is_over
        )

    def topics(self) -> tuple[TopicView, ...]:
        """What is followed, in the order of its being followed."""
        return tuple(
            view_topic(one, self._topics, self._fetching.n_wanted(one.cid)) for one in self._topics
        )
