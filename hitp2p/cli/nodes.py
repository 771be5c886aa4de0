"""What the verbs of `hitp2p node` share: the node's folder, its settings with overrides, topics, and the node that runs."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hitp2p.errors import Hitp2pError, NotFoundError

if TYPE_CHECKING:
    from hitp2p.cli.run import Run
    from hitp2p.codec.cid import Cid
    from hitp2p.node.settings import Settings

__all__ = [
    "CONFIG_FILE",
    "find_topic",
    "load_settings",
    "node_place",
    "require_node",
    "tell_running_node",
    "topic_title",
]

CONFIG_FILE: Final = "config.toml"
_PREFIX: Final = "HITP2P_NODE_"


def node_place(run: Run) -> Path:
    """The folder of the workspace's node, whether it was made or not."""
    return run.folder / ".hitp2p" / "node"


def require_node(run: Run) -> Path:
    """The folder of the workspace's node.

    Raises:
        NotFoundError: none was made.
    """
    place = node_place(run)
    if not (place / CONFIG_FILE).is_file():
        error = NotFoundError(f"there is no node in {run.folder}")
        error.add_note('Make one with "hitp2p node init".')
        raise error
    return place


def load_settings(place: Path, environ: Mapping[str, str]) -> Settings:
    """The settings of a node; HITP2P_NODE_LISTEN and so on win over the file.

    Raises:
        UsageError: the file or a variable won't do.
    """
    from hitp2p.node.settings import FIELDS, parse_settings
    from hitp2p.store.faults import store_errors

    overrides = {
        name: environ[_PREFIX + name.upper()]
        for name in FIELDS
        if _PREFIX + name.upper() in environ
    }
    with store_errors(place):
        text = (place / CONFIG_FILE).read_text(encoding="utf-8", errors="replace")
    return parse_settings(text, overrides)


def find_topic(run: Run, text: str) -> Cid:
    """A topic by title, name, short name or CID. A full CID need not be here yet.

    Raises:
        UsageError: nothing here is called so, and it is no CID; or it is neither a project nor an identity.
    """
    from hitp2p.cli.names import find_project
    from hitp2p.codec.cid import Cid

    with suppress(Hitp2pError):
        cid = Cid.parse(text)
        row = run.workspace.store.row(cid)
        if row is None:
            return cid
    with suppress(NotFoundError):
        found = find_project(run.workspace, text)
        return found.identity if found.kind == "identity" else found.cid
    error = NotFoundError(f"nothing that can be followed is called {text!r} here")
    error.add_note("Name a project by its title, or a project or person by their whole CID.")
    raise error


def topic_title(run: Run, topic: Cid) -> str:
    """What a topic is called here, or its CID."""
    from hitp2p.cli.names import title_of
    from hitp2p.trail.display import short_name

    obj = run.workspace.lookup(topic)
    return f"{title_of(obj)} ({short_name(topic)})" if obj is not None else str(topic)


def tell_running_node(place: Path) -> Mapping[str, Any] | None:
    """Let the node that runs read its policy again; None where none runs."""
    from hitp2p.node.control import ask, is_running

    return ask(place, "reload") if is_running(place) else None
