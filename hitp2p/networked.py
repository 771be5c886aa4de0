"""The fetching half of a workspace: trails, bundles and media that others have on IPFS."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Unpack

from hitp2p.codec.cid import Cid
from hitp2p.dataclass import replace
from hitp2p.statements import Statements

if TYPE_CHECKING:
    from hitp2p.drafts import ObjectLike
    from hitp2p.fetching import Fetched
    from hitp2p.ipfs_network import NetworkOptions
    from hitp2p.ipns import NameClaim
    from hitp2p.pulling import Pulled
    from hitp2p.reader import Progress
    from hitp2p.trail.bundle import MediaChoice

__all__ = ["Networked"]


class Networked(Statements):
    """What a workspace gets from the network. Everything is checked before it is stored."""

    def pull(
        self,
        cids: Cid | str | Sequence[Cid | str],
        *,
        media: MediaChoice = "none",
        progress: Progress | None = None,
        **options: Unpack[NetworkOptions],
    ) -> Pulled:
        """Fetch trails or bundles from IPFS, through a Kubo daemon that is on the network.

        Every block is hashed, and every signature and rule checked, before anything is stored. If something that is needed
        doesn't come, nothing is stored; what had come is on the daemon then, so another try is quick.

        Args:
            cids: snapshots, which bring all that they name; works and other objects, which bring all that they require;
                projects, of which the snapshot pinned on the daemon is followed; bundles that were added as files;
                `/ipns/NAME`, of which the record is checked, and what its publisher claims is followed.
            media: none, those of the works named (of a project or snapshot: of its heads), or those of all works.
            progress: told how many blocks are there, and of how many; media don't count (see `pull_media`).
            options: see `NetworkOptions`.

        Returns:
            What came; `missing` names list pages, texts and media that did not.

        Raises:
            MissingBlocksError: a block did not come in time; the error says what to do.
            InvalidError: a block breaks a rule.
            BackendError: the daemon can't be reached, fails, or gives other bytes.
            UsageError: no daemon is known, or a name means nothing.
            NotFoundError: no record of an IPNS name was found.
        """
        from hitp2p.ipfs_network import parse_ipfs_name, pull

        several = [cids] if isinstance(cids, Cid | str) else cids
        claims = self._follow(several, options)
        wanted = [
            claims[one].target
            if one in claims
            else parse_ipfs_name(one)
            if isinstance(one, str)
            else one
            for one in several
        ]
        pulled = pull(self, wanted, options, progress=progress)
        pulled = replace(pulled, names=tuple(dict.fromkeys(claims.values())))
        return pulled if media == "none" else self.pull_media(pulled, media, **options)

    def _follow(
        self, names: Sequence[Cid | str], options: NetworkOptions
    ) -> Mapping[Cid | str, NameClaim]:
        """What the IPNS names among some names point to, by how they are spelled."""
        from hitp2p.ipns import follow_names, ipns_name

        texts = [text for text in names if isinstance(text, str)]
        spelled = {text: name for text in texts if (name := ipns_name(text)) is not None}
        if not spelled:
            return {}
        claims = follow_names(self.store, spelled.values(), options, now_ms=self._clock())
        return {text: claims[name] for text, name in spelled.items()}

    def pull_media(
        self,
        pulled: Pulled,
        media: MediaChoice,
        *,
        progress: Progress | None = None,
        **options: Unpack[NetworkOptions],
    ) -> Pulled:
        """Fetch the media of what was pulled, as far as they come and aren't here.

        Args:
            pulled: what `pull` returned.
            media: see `pull`.
            progress: told how many bytes are there, and of how many.
            options: see `NetworkOptions`.

        Returns:
            The same with the media.

        Raises:
            BackendError: the daemon can't be reached, fails, or gives other bytes.
        """
        from hitp2p.ipfs_network import pull_media

        return pull_media(self, pulled, media, options, progress=progress)

    def fetch(
        self,
        work: ObjectLike,
        *,
        media: MediaChoice = "work",
        entry: int | None = None,
        progress: Progress | None = None,
        **options: Unpack[NetworkOptions],
    ) -> Fetched:
        """Fetch files and texts from IPFS that a work here links to and that aren't here.

        Args:
            work: a work.
            media: the texts of its trail alone, its own files as well, or those of all its sources too.
            entry: one of its files and nothing else, all of it or an error.
            progress: told how many bytes of files are there, and of how many.
            options: see `NetworkOptions`.

        Returns:
            What came; `missing` names what did not.

        Raises:
            MissingBlocksError: with `entry`, the file did not come; the error says what to do.
            InvalidError: with `entry`, the file isn't what the work says.
            BackendError: the daemon can't be reached, fails, or gives other bytes.
            UsageError: no daemon is known, or the work has no such file.
        """
        from hitp2p.ipfs_network import fetch

        return fetch(self, self.show(work), options, media=media, entry=entry, progress=progress)
