"""Objects as JSON and as lines: the fields that several verbs share, documented once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, cast

from hitp2p.cli.output import day, fields, size
from hitp2p.naming import own_title
from hitp2p.trail.display import short_name

if TYPE_CHECKING:
    from hitp2p.cli.names import Names, Shown

__all__ = [
    "OBJECT_FIELDS",
    "dag_json",
    "described",
    "media_lines",
    "object_lines",
    "object_record",
    "prefixed",
]

OBJECT_FIELDS: Final = {
    "cid": "the object",
    "short": "its short name in this workspace",
    "kind": "contribution, project, identity, ...",
    "title": "title or name as written, or null",
    "author.cid": "the identity that speaks (author is null for a genesis)",
    "author.name": "what it calls itself, or null if its genesis isn't here",
    "project.cid": "the project (project is null where there is none)",
    "project.name": "its title, or null if it isn't here",
    "time": "claimed time, milliseconds since 1970",
    "license": "SPDX expression as written, or null",
}
"""Fields of an object in every verb that shows objects."""


def prefixed(prefix: str, documented: Mapping[str, str]) -> dict[str, str]:
    """The documented fields below a place, such as `works[].`."""
    return {prefix + name: what for name, what in documented.items()}


def object_record(obj: Shown, names: Names) -> dict[str, object]:
    """The shared fields of an object."""
    return {
        "cid": str(obj.cid),
        "short": short_name(obj.cid),
        "kind": obj.kind,
        "title": own_title(obj),
        "author": names.record(obj.author),
        "project": names.record(obj.project),
        "time": obj.time,
        "license": _text(obj.body.get("license")),
    }


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def object_lines(obj: Shown, names: Names, *, standing: str = "") -> Iterable[str]:
    """The shared fields for people, without the title.

    Args:
        standing: shown where there is something to say.
    """
    project = names.person(obj.project)
    yield from fields(
        [
            ("short", short_name(obj.cid)),
            ("cid", str(obj.cid)),
            ("kind", obj.kind if obj.kind != "contribution" else ""),
            ("by", names.person(obj.author)),
            ("project", project),
            ("time", f"{day(obj.time)} UTC (claimed)"),
            ("licence", _text(obj.body.get("license")) or ""),
            *(("file", line) for line in media_lines(obj)),
            ("standing", standing),
        ],
        indent=2,
    )


def media_lines(obj: Shown) -> Iterable[str]:
    """One line a media entry: label, type, length."""
    for entry in _maps(obj.body.get("media")):
        label = entry.get("name") or "(no name)"
        yield f"{label}, {entry.get('type')}, {size(entry['size'])}"


def _maps(value: Any) -> list[Mapping[str, Any]]:
    """The entries of a list of maps in a known field; none where the kind isn't known and it is something else."""
    entries = cast("list[object]", value) if isinstance(value, list) else []
    return [entry for entry in entries if isinstance(entry, dict) and "size" in entry]


def described(body: Any, indent: int = 2) -> Iterable[str]:
    """A body for people, field by field as signed; foreign text never starts a line."""
    margin = " " * indent
    for label, value in _labelled(body):
        if isinstance(value, dict | list):
            nested = list(described(value, indent + 2))
            if label == "-" and nested:  # the first field stands beside the dash
                yield f"{margin}- {nested.pop(0).lstrip()}"
            else:
                yield f"{margin}{label}"
            yield from nested
        else:
            first, *rest = _scalar(value).split("\n")
            yield f"{margin}{label} {first}"
            yield from (f"{margin}  | {line}" for line in rest)


def _labelled(body: Any) -> list[tuple[str, Any]]:
    if isinstance(body, dict):
        return [(f"{name}:", inner) for name, inner in cast("dict[str, Any]", body).items()]
    return [("-", inner) for inner in body]


def _scalar(value: object) -> str:
    if isinstance(value, bytes):
        return f"{value.hex()[:64]}{'...' if len(value) > 32 else ''}"
    return str(value)


def dag_json(value: Any) -> object:
    """A decoded value as DAG-JSON has it: links as {"/": cid}, bytes as {"/": {"bytes": base64}}."""
    if isinstance(value, dict):
        return {name: dag_json(inner) for name, inner in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        return [dag_json(inner) for inner in cast("list[object]", value)]
    if isinstance(value, bytes):
        from base64 import b64encode

        return {"/": {"bytes": b64encode(value).decode().rstrip("=")}}
    if value is None or isinstance(value, bool | int | str):
        return value
    return {"/": str(value)}
