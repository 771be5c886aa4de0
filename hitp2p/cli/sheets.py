"""The documented JSON of trails and credit sheets, which `hitp2p.trail` writes."""

from __future__ import annotations

from typing import Final

__all__ = ["CREDIT_FIELDS", "TRAIL_FIELDS"]

TRAIL_FIELDS: Final = {
    "project": "the project's CID",
    "title": "its title",
    "license": "its default licence, or null",
    "entries[].cid": "an object; sources come before what was made of them",
    "entries[].kind": "contribution, project, ...",
    "entries[].title": "its title, or null",
    "entries[].identity": "who speaks: the CID of the identity",
    "entries[].name": "what they call themselves, or null if their genesis isn't here",
    "entries[].time": "claimed time, milliseconds since 1970; orders nothing",
    "entries[].generation": "steps from the beginning along the longest way",
    "entries[].is_head": "true for a work that nobody has built on yet",
    "entries[].standing": "good, disavowed, undetermined or forked",
    "entries[].note": "the author's own sentence, or null",
    "entries[].sources[].relation": "how a source was used",
    "entries[].sources[].cid": "the work; null for something outside hitp2p",
    "entries[].sources[].title": "its title, or null",
    "entries[].sources[].note": "the author's sentence about this use, or null",
}

CREDIT_FIELDS: Final = {
    "work": "the work's CID",
    "is_cut": "whether its lists are too long to read, so that some of it is left out",
    "lines[].cid": "the work itself, then each source; null for something outside hitp2p",
    "lines[].project": "its project, or null",
    "lines[].title": "its title, or null",
    "lines[].url": "where a source outside is, or null",
    "lines[].sha256": "hash of a source outside in hex, or null",
    "lines[].people[].identity": "CID of someone with an identity, or null",
    "lines[].people[].name": "the name as credited, or null",
    "lines[].people[].roles[]": "MARC relator codes or words",
    "lines[].people[].withheld": "whether they asked not to be named; name is null then",
    "lines[].people[].claim": "self, confirmed, amended, denied, or claimed: whose word it is",
    "lines[].license": "SPDX expression, or null",
    "lines[].license_from_project": "true: the work states none, this is the project's default",
    "lines[].license_url": "where the licence's text is, or null",
    "lines[].note": "what the author says of the work, or null",
    "lines[].distance": "steps from the work; 0 is the work itself",
    "lines[].uses[].by": "the work that used it",
    "lines[].uses[].relation": "how: remix, sample, ...",
    "lines[].uses[].part": "media fragment: what of the source, or null",
    "lines[].uses[].into": "media fragment: where in the work, or null",
    "lines[].uses[].note": "the sentence of the person who used it, or null",
    "lines[].uses[].nearest": "true on a shortest path to the work",
    "lines[].missing": "true: the work isn't here, only its name is known",
    "lines[].incomplete": "true: pages of its lists aren't here",
    "lines[].standing": "good, disavowed, undetermined or forked; null for a source outside",
    "missing[]": "works and list pages that were wanted and aren't here",
}
