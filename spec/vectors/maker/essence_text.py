"""essence-text.json: chapter 05, the essence of plain text."""

from __future__ import annotations

from maker.book import Book
from maker.film_boxes import Answers


def essence_text() -> Book:
    book = Book("media")
    answers = Answers(book, "MED-17", "text/1")
    verse = "The bus came late.\n\nNobody minded, ça va.\n".encode()
    for name, why, data in (
        ("verse", "as it is hashed", verse),
        ("crlf", "lines that end as on Windows", verse.replace(b"\n", b"\r\n")),
        ("cr", "lines that end as on an old Macintosh", verse.replace(b"\n", b"\r")),
        ("mark", "a byte order mark", b"\xef\xbb\xbf" + verse),
        ("no-end", "no end of the last line", verse[:-1]),
        ("empty-end", "empty lines at the end", verse + b"\n \t\n\r\n"),
        ("blanks", "blanks at the ends of lines", verse.replace(b"\n", b" \t \n")),
        ("nfd", "an accent as a character of its own", verse.replace("ç".encode(), "c\u0327".encode())),
    ):  # fmt: skip
        answers.good(name, why, data, verse)
    for name, why, data, payload in (
        ("leading", "empty lines and blanks at the start stay", b"\n\n  a\n", b"\n\n  a\n"),
        ("other-blanks", "a no-break space stays", "a\u00a0\n".encode(), "a\u00a0\n".encode()),
        ("second-mark", "only one mark goes", b"\xef\xbb\xbf" * 2 + b"a", b"\xef\xbb\xbfa\n"),
        ("separator", "U+2028 doesn't end a line", "a \u2028\n".encode(), "a \u2028\n".encode()),
        ("form-feed", "a form feed stays", b"a \f\n", b"a \f\n"),
        ("later", "a character of Unicode 15 combines with nothing", "a\u0301\U0001e08f\u0316".encode(), "á\U0001e08f\u0316\n".encode()),
        ("long-line", "a line of 1,048,576 bytes", b"a" * 1048576 + b"\r\nb", b"a" * 1048576 + b"\nb\n"),
    ):  # fmt: skip
        answers.good(name, why, data, payload)
    for name, why, data in (
        ("nothing", "nothing", b""),
        ("only-blanks", "nothing but blanks", b" \r\n\t\n"),
        ("latin", "Latin-1", b"\xe7a va\n"),
        ("cut", "UTF-8 cut short", b"a\n\xc3"),
        ("zero", "a zero byte", b"a\0b\n"),
        ("escape", "what commands a terminal", b"a\x1b[2Jb\n"),
        ("c1", "a control character of 8 bits", "a\u009bb".encode()),
        ("too-long-line", "a line of 1,048,577 bytes", b"a" * 1048577),
    ):
        answers.odd(name, why, data)
    return book
