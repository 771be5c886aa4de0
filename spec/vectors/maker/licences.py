"""Vectors of chapter 07: the table of licences as it stands there, and expressions."""

from __future__ import annotations

from maker.book import Book

TAKING = ("remix", "version", "merge", "translation", "extract", "sample")
TAKING_NOTHING = ("response", "reference", "inspired-by")

COLUMNS = ["PD", "BY", "SA", "NC", "NC-SA", "ND", "NC-ND", "GPL", "FAL", "notice", "ARR", "other"]
EXAMPLES = {
    "PD": "CC0-1.0",
    "BY": "CC-BY-4.0",
    "SA": "CC-BY-SA-4.0",
    "NC": "CC-BY-NC-4.0",
    "NC-SA": "CC-BY-NC-SA-4.0",
    "ND": "CC-BY-ND-4.0",
    "NC-ND": "CC-BY-NC-ND-4.0",
    "GPL": "GPL-3.0-only",
    "FAL": "LAL-1.3",
    "notice": "MIT",
    "ARR": None,
    "other": "Some-License-1.0",
}
"""One identifier a family, in the version that is current."""
ROWS = {
    "PD": "++++++++++w+",
    "BY": "-++++wwwwww?",
    "SA": "--+----++---",
    "NC": "---++-w-----",
    "NC-SA": "----+-------",
    "ND": "------------",
    "NC-ND": "------------",
    "GPL": "-------+----",
    "FAL": "--+-----+---",
    "notice": "-+++++++++++",
    "ARR": "------------",
    "other": "????????????",
}
WORDS = {"+": "allowed", "w": "warned", "?": "unknown", "-": "forbidden"}

CLOSER = [
    # source, work, answer: versions, ports, other spellings
    ("CC-BY-4.0", "CC-BY-3.0", "w"),
    ("CC-BY-3.0", "CC-BY-4.0", "+"),
    ("CC-BY-SA-3.0", "CC-BY-SA-4.0", "+"),
    ("CC-BY-SA-4.0", "CC-BY-SA-3.0", "-"),
    ("CC-BY-SA-3.0-DE", "CC-BY-SA-4.0", "+"),
    ("CC-BY-SA-3.0", "CC-BY-SA-3.0-DE", "+"),
    ("CC-BY-SA-1.0", "CC-BY-SA-2.0", "-"),
    ("CC-BY-SA-1.0", "CC-BY-SA-1.0", "+"),
    ("CC-BY-SA-2.0", "CC-BY-SA-2.5", "+"),
    ("CC-BY-SA-2.1-JP", "CC-BY-SA-3.0-IGO", "+"),
    ("CC-BY-NC-SA-2.0", "CC-BY-NC-SA-4.0", "+"),
    ("CC-BY-NC-SA-1.0", "CC-BY-NC-SA-4.0", "-"),
    ("CC-BY-NC-SA-4.0", "CC-BY-NC-SA-2.0", "-"),
    ("CC-BY-SA-3.0", "GPL-3.0-only", "-"),
    ("CC-BY-SA-4.0", "GPL-3.0-or-later", "w"),
    ("CC-BY-SA-4.0", "GPL-3.0", "+"),
    ("CC-BY-SA-4.0", "GPL-2.0-or-later", "-"),
    ("CC-BY-SA-3.0", "LAL-1.3", "-"),
    ("CC-BY-SA-4.0", "LAL-1.2", "-"),
    ("LAL-1.2", "LAL-1.3", "+"),
    ("LAL-1.3", "LAL-1.2", "-"),
    ("LAL-1.2", "CC-BY-SA-4.0", "-"),
    ("LAL-1.3", "CC-BY-SA-3.0", "-"),
    ("GPL-2.0-only", "GPL-3.0-only", "-"),
    ("GPL-2.0-or-later", "GPL-3.0-only", "+"),
    ("GPL-2.0-only", "GPL-2.0-or-later", "-"),
    ("GPL-2.0+", "GPL-3.0-or-later", "+"),
    ("GPL-3.0-or-later", "GPL-2.0-only", "-"),
    ("GPL-2.0", "GPL-2.0-only", "+"),
    ("CC-BY-ND-NC-1.0", "CC-BY-NC-ND-4.0", "-"),
    ("CC-PDM-1.0", "CC-BY-4.0", "+"),
    ("Unlicense", "MIT", "+"),
    ("NONE", "CC-BY-4.0", "-"),
    ("LicenseRef-All-Rights-Reserved", "LicenseRef-All-Rights-Reserved", "-"),
    ("LicenseRef-Mine", "LicenseRef-Mine", "?"),
    ("CC-BY-SA", "CC-BY-SA-4.0", "?"),
    ("CC-BY-SA-4.0-de", "CC-BY-SA-4.0", "?"),
]
EXPRESSIONS = [
    ("CC-BY-NC-4.0 OR CC-BY-4.0", "CC-BY-4.0", "+"),
    ("CC-BY-NC-4.0 AND CC-BY-4.0", "CC-BY-4.0", "-"),
    ("CC-BY-4.0", "CC-BY-4.0 OR CC0-1.0", "-"),
    ("CC-BY-NC-4.0", "CC-BY-NC-4.0 AND CC-BY-4.0", "+"),
    ("CC-BY-SA-4.0 AND MIT", "CC-BY-SA-4.0 AND MIT", "+"),
    ("CC-BY-SA-4.0 AND CC-BY-NC-4.0", "CC-BY-NC-SA-4.0", "-"),
    ("CC-BY-SA-4.0 OR GPL-2.0-only", "GPL-2.0-only OR CC-BY-SA-4.0", "+"),
    ("(CC-BY-4.0 OR MIT) AND CC-BY-SA-4.0", "CC-BY-SA-4.0", "+"),
    ("(CC-BY-4.0 OR MIT) AND CC-BY-NC-4.0", "CC-BY-4.0", "-"),
    ("GPL-2.0-or-later WITH Classpath-exception-2.0", "GPL-3.0-only", "+"),
    ("CC-BY-4.0 OR Some-License-1.0", "CC-BY-4.0", "+"),
    ("CC-BY-4.0 AND Some-License-1.0", "CC-BY-4.0", "?"),
]
OBLIGATIONS = [
    ("CC0-1.0", []),
    ("CC-BY-4.0", ["credit"]),
    ("MIT", ["credit"]),
    ("CC-BY-SA-3.0-DE", ["credit", "share-alike"]),
    ("GPL-3.0-only", ["credit", "share-alike"]),
    ("LAL-1.3", ["credit", "share-alike"]),
    ("CC-BY-NC-4.0", ["credit", "non-commercial"]),
    ("CC-BY-NC-SA-4.0", ["credit", "share-alike", "non-commercial"]),
    ("CC-BY-ND-4.0", ["credit", "no-derivatives"]),
    ("CC-BY-NC-ND-4.0", ["credit", "non-commercial", "no-derivatives"]),
    (None, ["ask"]),
    ("Some-License-1.0", ["ask"]),
    ("CC-BY-NC-4.0 OR CC-BY-SA-4.0", ["credit"]),
    ("CC-BY-NC-4.0 AND CC-BY-SA-4.0", ["credit", "share-alike", "non-commercial"]),
]

ND, BY, NC, CC0 = "CC-BY-ND-4.0", "CC-BY-4.0", "CC-BY-NC-4.0", "CC0-1.0"
THROUGH = [
    # name, {work: licence}, [(work, relation, source)], conflicts of the last work: (work, relation, source)
    (
        "remix-of-a-collection",
        {"photo": ND, "box": BY, "song": BY},
        [("box", "collect", "photo"), ("song", "remix", "box")],
        [("song", "remix", "photo")],
    ),
    (
        "every-way-to-take",
        {"photo": ND, "box": BY, "song": BY, "film": BY},
        [("box", "collect", "photo"), ("song", "sample", "box"), ("film", "response", "box"),
         ("film", "reference", "song")],
        [("song", "sample", "photo")],
    ),
    (
        "collections-in-collections",
        {"photo": NC, "box": BY, "shelf": CC0, "song": CC0},
        [("box", "collect", "photo"), ("shelf", "collect", "box"), ("song", "version", "shelf")],
        [("song", "version", "box"), ("song", "version", "photo")],
    ),
    (
        "own-use-counts",
        {"photo": ND, "box": BY, "song": BY},
        [("box", "collect", "photo"), ("song", "remix", "box"), ("song", "collect", "photo")],
        [],
    ),
    (
        "what-only-the-named-holds",
        {"photo": ND, "box": BY, "shelf": BY, "song": BY},
        [("box", "collect", "photo"), ("shelf", "collect", "box"), ("song", "remix", "shelf"),
         ("song", "collect", "box")],
        [],
    ),
    (
        "a-reference-takes-no-precedence",
        {"photo": ND, "box": BY, "song": BY},
        [("box", "collect", "photo"), ("song", "remix", "box"), ("song", "reference", "photo")],
        [("song", "remix", "photo")],
    ),
    (
        "collecting-reserved",
        {"photo": None, "box": BY, "shelf": BY},
        [("box", "collect", "photo"), ("shelf", "collect", "box")],
        [("box", "collect", "photo"), ("shelf", "collect", "photo")],
    ),
    (
        "deeper-down",
        {"photo": ND, "box": BY, "song": BY, "film": BY},
        [("box", "collect", "photo"), ("song", "remix", "box"), ("film", "remix", "song")],
        [("song", "remix", "photo"), ("film", "remix", "photo")],
    ),
    (
        "a-copy-of-an-adaptation",
        {"photo": BY, "song": BY, "box": CC0, "film": CC0},
        [("song", "remix", "photo"), ("box", "collect", "song"), ("film", "collect", "box")],
        [],
    ),
    (
        "what-a-member-is-made-of",
        {"photo": NC, "song": NC, "box": BY, "film": BY},
        [("song", "remix", "photo"), ("box", "collect", "song"), ("film", "remix", "box")],
        [("film", "remix", "song"), ("film", "remix", "photo")],
    ),
]  # fmt: skip
"""Each work is by somebody else. A conflict that is handed down over several works counts as a remix."""


def licences() -> Book:
    book = Book("trail")

    def edge(
        name: str, rule: str, source: str | None, work: str | None, how: str, is_: str
    ) -> None:
        data = {"source": source, "work": work, "relation": how}
        book.other(name, rule, WORDS[is_], f"{source} to {work}, {how}", "license-edge", data)

    for row, answers in ROWS.items():
        for column, answer in zip(COLUMNS, answers, strict=True):
            edge(f"{row}-{column}", "LIC-2", EXAMPLES[row], EXAMPLES[column], "remix", answer)
    for number, (source, work, answer) in enumerate(CLOSER):
        edge(f"closer-{number}", "LIC-2", source, work, "remix", answer)
    for number, (source, work, answer) in enumerate(EXPRESSIONS):
        edge(f"expression-{number}", "LIC-3", source, work, "remix", answer)
    for how in TAKING:
        edge(f"takes-{how}", "LIC-1", "CC-BY-ND-4.0", "CC-BY-ND-4.0", how, "-")
    for how in TAKING_NOTHING:
        edge(f"takes-not-{how}", "LIC-1", None, "CC0-1.0", how, "+")
    for row, answer in {"ND": "+", "NC-SA": "+", "PD": "+", "ARR": "-", "other": "?"}.items():
        edge(f"collect-{row}", "LIC-1", EXAMPLES[row], "CC-BY-4.0", "collect", answer)
    for name, works, uses, conflicts in THROUGH:
        data = {"works": works, "uses": list(map(list, uses))}
        book.valid(
            name,
            "LIC-6",
            "conflicts of the last work, through collections",
            "license-conflicts",
            data,
            conflicts=sorted(map(list, conflicts)),
        )
    for number, (licence, asked) in enumerate(OBLIGATIONS):
        book.valid(
            f"obligations-{number}",
            "LIC-5",
            f"what {licence} asks",
            "license-obligations",
            licence,
            obligations=asked,
        )
    return book
