"""objects.json: chapter 03, one object (or list page, or text) at a time."""

from __future__ import annotations

from maker.bodies import kinds, lists_and_refs, texts
from maker.book import Book
from maker.drafts import Objects
from maker.envelopes import encodings, envelope, presence, signatures
from maker.kind_rules import kind_rules
from maker.pages import pages, text_blocks


def objects() -> Book:
    book = Objects()
    for part in (
        envelope,
        signatures,
        encodings,
        presence,
        texts,
        lists_and_refs,
        kinds,
        kind_rules,
        pages,
        text_blocks,
    ):
        part(book)
    return book.book
