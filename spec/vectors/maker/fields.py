"""The fields of bodies, with values at and past their bounds."""

from __future__ import annotations

from typing import Any

from maker.shapes import (
    FILE,
    PAGE,
    TREE,
    Bytes,
    Choice,
    FaultsOnly,
    Int,
    LinkTo,
    ListOf,
    Map,
    Once,
    Pattern,
    Ref,
    Shape,
    Text,
)
from maker.sign import ALICE, BOB, RULES, ref
from maker.wire import cid_text

MAX = 2**53 - 1
TITLE, NAME, LINE, URL = Text(256), Text(64), Text(256), Text(2048)
PROSE = Text(1024, multiline=True)
ROLE = Once(Text(64, rule="OBJ-20"))
REF = Once(Ref())
TARGET = Once(Map("OBJ-17", _object=Ref(), project=Ref()))
BLOCK = LinkTo({"dag-cbor": PAGE, "dag-pb": TREE}, "OBJ-24")
PAGES = ListOf(LinkTo({"raw": FILE, "dag-pb": TREE}, "OBJ-23"), 128)
LICENSE = Once(
    Pattern(
        "OBJ-22",
        {
            "empty": "",
            "two": "CC0-1.0 MIT",
            "and-alone": "AND",
            "and-last": "MIT AND",
            "or-first": "OR MIT",
            "open": "(MIT",
            "close": "MIT)",
            "parentheses-only": "()",
            "lower-case-or": "MIT or CC0-1.0",
            "slash": "MIT/X11",
            "accent": "licence-libre-é",
            "newline": "MIT\n",
            "long": "x" * 257,
        },
        {
            "one": "CC-BY-SA-4.0",
            "or": "MIT OR CC0-1.0",
            "nested": "(MIT OR (Apache-2.0 AND CC0-1.0))",
            "with": "GPL-2.0-or-later WITH Classpath-exception-2.0",
            "plus": "Apache-2.0+",
            "document-ref": "DocumentRef-x:LicenseRef-y",
            "limit": "x" * 256,
        },
    )
)
LANGUAGE = Once(
    Pattern(
        "OBJ-21",
        {
            "one-letter": "e",
            "nine-letters": "abcdefghi",
            "digit-first": "1en",
            "underscore": "en_GB",
            "hyphen-last": "en-",
            "two-hyphens": "en--GB",
            "long-group": "en-abcdefghi",
            "accent": "fré",
            "long": "en-abcdefgh-abcdefgh-abcdefgh-abcdefg",
            "newline": "en\n",
            "empty": "",
        },
        {
            "two": "en",
            "eight": "abcdefgh",
            "region": "pt-BR",
            "script": "zh-Hant-TW",
            "digits": "de-1996",
            "limit": "en-abcdefgh-abcdefgh-abcdefgh-abcde",
        },
    )
)
PART = Once(
    Pattern(
        "OBJ-19",
        {
            "id": "id=chapter",
            "bare": "12,30",
            "empty-time": "t=",
            "space": "t=12, 30",
            "upper-case": "T=12",
            "long": "t=" + "1" * 63,
            "newline": "t=1\n",
            "empty": "",
        },
        {
            "time": "t=12,30",
            "open-time": "t=,30",
            "area": "xywh=percent:10,10,50,50",
            "text": "char=0,12",
            "limit": "t=" + "1" * 62,
        },
    )
)
MEDIA_TYPE = Pattern(
    "MED-1",
    {
        "upper-case": "Audio/ogg",
        "no-slash": "audio",
        "two-slashes": "audio/ogg/x",
        "parameter": "text/plain; charset=utf-8",
        "empty-sub": "audio/",
        "long": "audio/" + "x" * 122,
        "empty": "",
    },
    {
        "limit": "audio/" + "x" * 121,
        "vendor": "application/vnd.oasis.opendocument.text",
        "plus": "image/svg+xml",
    },
)
LABEL = Pattern(
    "MED-3",
    {"slash": "a/b", "backslash": "a\\b", "dot": ".", "dots": ".."},
    {"dotted": "...", "hidden": ".profile"},
)
MEDIA = Once(
    Map(
        "MED-1",
        _file=LinkTo({"dag-cbor": PAGE}, "MED-2"),
        _size=Int(0, MAX, "MED-1"),
        _sha256=Bytes(32, 32),
        _type=MEDIA_TYPE,
        _role=Choice(("master", "preview", "stem", "source-file")),
        name=LABEL,
        alt=PROSE,
        essence=Map(
            "MED-1", _algorithm=LINE, _digest=Bytes(16, 64, "MED-1"), display=Bytes(16, 64, "MED-1")
        ),
    )
)
SOURCE = Map(
    url=URL,
    title=TITLE,
    author=LINE,
    license=LICENSE,
    sha256=Bytes(32, 32),
    fetched=Int(0, MAX),
)
RELATIONS = (
    "remix",
    "version",
    "merge",
    "response",
    "translation",
    "extract",
    "sample",
    "collect",
    "reference",
    "inspired-by",
)
USE = Once(
    Map(
        work=Ref(),
        project=Ref(),
        source=SOURCE,
        _relation=Choice(RELATIONS),
        part=PART,
        into=PART,
        note=PROSE,
    )
)
CREDIT = Once(Map(who=Ref(), name=NAME, _role=ROLE, part=PART))
TAGS, LANGUAGES = ListOf(Text(64), 32), ListOf(LANGUAGE, 16)
RECOVERY = Map(_who=ListOf(REF, 128), _threshold=Int(1, None, "KND-4"))
RULES_FIELDS: dict[str, Shape] = {
    "_roles": Map(curator=ListOf(REF, 64)),
    "_actions": Map(
        accept=Map(_role=FaultsOnly(Text(64, rule="OBJ-20")), _threshold=Int(1, None, "KND-4"))
    ),
    "recovery": RECOVERY,
}

WHO = cid_text(ALICE.cid)
BOTH = sorted([WHO, cid_text(BOB.cid)])
THERE: dict[str, Any] = {"object": ref("target"), "project": ref("elsewhere")}
HERE: dict[str, Any] = {"object": ref("target")}
MEDIA_ENTRY: dict[str, Any] = {
    "file": FILE, "size": 5, "sha256": FILE[4:], "type": "audio/ogg", "role": "master",
    "name": "take 3.ogg", "alt": "A river\nat night", "essence": {"algorithm": "ogg/1", "digest": b"\1" * 32, "display": b"\2" * 32},
}  # fmt: skip
USE_ELSEWHERE: dict[str, Any] = {
    "work": ref("used"), "project": ref("elsewhere"), "relation": "sample",
    "part": "t=12,30", "into": "t=0,18", "note": "the bass line,\nslowed down",
}  # fmt: skip
USE_SOURCE: dict[str, Any] = {
    "source": {
        "url": "https://example.org/tune", "title": "An old tune", "author": "Trad.",
        "license": "CC0-1.0", "sha256": bytes(range(32)), "fetched": 1_700_000_000_000,
    },
    "relation": "inspired-by",
}  # fmt: skip
CREDITED: dict[str, Any] = {"who": WHO, "name": "Alice the Bard", "role": "cmp", "part": "t=0,60"}
FULL_RULES: dict[str, Any] = RULES | {"recovery": {"who": BOTH, "threshold": 2}}
