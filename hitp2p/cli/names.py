"""How people and things are named in lines for people: a name is never shown without its short code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hitp2p.errors import AmbiguousNameError, NotFoundError, UsageError
from hitp2p.naming import own_title
from hitp2p.trail.display import code_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Protocol

    from hitp2p.codec.cid import Cid
    from hitp2p.objects.envelope import SignedObject
    from hitp2p.workspace import Workspace

    class Finder(Protocol):
        """Where objects are found: a workspace, or a glance at its store."""

        def lookup(self, cid: Cid) -> Shown | None:
            """The object, or None where it isn't here."""
            ...

    class Shown(Protocol):
        """What is shown of an object, from wherever it was read."""

        @property
        def cid(self) -> Cid: ...
        @property
        def kind(self) -> str: ...
        @property
        def time(self) -> int: ...
        @property
        def author(self) -> Cid | None: ...
        @property
        def project(self) -> Cid | None: ...
        @property
        def body(self) -> Mapping[str, Any]: ...


__all__ = ["Names", "find_project", "title_of"]


def title_of(obj: Shown) -> str:
    """The title or name of an object, or in brackets what it is where it has none. As received."""
    return own_title(obj) or ("(change of keys)" if obj.kind == "identity" else f"({obj.kind})")


class Names:
    """Names of people and titles of projects in one workspace, each looked up once."""

    def __init__(self, finder: Finder) -> None:
        self._finder = finder
        self._texts: dict[Cid, str | None] = {}

    def text(self, cid: Cid | None) -> str | None:
        """The claimed name of an identity or the title of an object; None where it isn't here."""
        if cid is None:
            return None
        if cid not in self._texts:
            found = self._finder.lookup(cid)
            self._texts[cid] = None if found is None else title_of(found)
        return self._texts[cid]

    def person(self, cid: Cid | None) -> str:
        """`Ana [6c7rjq2a]`; `? [6c7rjq2a]` where the identity isn't here."""
        return "" if cid is None else f"{self.text(cid) or '?'} {code_of(cid)}"

    def record(self, cid: Cid | None) -> dict[str, object] | None:
        """An identity or a project in JSON: its CID, and its name as far as it is here."""
        return None if cid is None else {"cid": str(cid), "name": self.text(cid)}


def find_project(workspace: Workspace, text: str | None) -> SignedObject:
    """The project that is meant by its title, CID or short name; the only one where nothing is said.

    Raises:
        NotFoundError: no such project.
        AmbiguousNameError: nothing was said and there are several, or two have that title.
    """
    projects = workspace.projects()
    found = [p for p in projects if text is None or title_of(p) == text]
    if text is not None and not found:
        obj = _by_short_name(workspace, text)
        return obj if obj.kind == "project" or obj.project is None else workspace.show(obj.project)
    if not found:
        error = NotFoundError("there is no project here yet")
        error.add_note('Open one with "hitp2p project new TITLE".')
        raise error
    if len(found) > 1:
        some = ", ".join(f"{title_of(p)} {code_of(p.cid)}" for p in found)
        several = AmbiguousNameError(
            f"several projects could be meant: {some}", [p.cid for p in found]
        )
        several.add_note("Say which with its short name, the characters in brackets.")
        raise several
    return found[0]


def _by_short_name(workspace: Workspace, text: str) -> SignedObject:
    try:
        return workspace.show(text)
    except AmbiguousNameError:
        raise
    except UsageError as cause:
        error = NotFoundError(f"no project here has {text!r} as its title or short name")
        error.add_note("hitp2p project list shows the projects that are here.")
        raise error from cause
