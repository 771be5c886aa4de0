"""Where results go: plain lines for people, one JSON document for programs.

stdout carries the result and nothing else; hints, warnings, questions, progress and errors go to
stderr. Lines pass `clean` here, so no verb can forget it. JSON is ASCII, so it can't either.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TextIO

from hitp2p.cli.clean import clean, fit, pad, width

__all__ = [
    "Output",
    "command_lines",
    "day",
    "fields",
    "n_of",
    "quoted",
    "size",
    "table",
    "write_line",
]

COLUMNS = 80
"""Lists are laid out for this many columns, whatever the terminal: output that is piped stays the same."""


class Output:
    """The two streams of a run. Holds no other state than whether the reader is a program."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        """True where `--json` was given: then stdout is one document."""

    def emit(self, record: Mapping[str, object], lines: Iterable[str]) -> None:
        """The result of a verb: `record` for programs, else `lines` for people.

        Args:
            record: documented fields; values that JSON knows.
            lines: not looked at under `--json`, so a generator costs nothing there.
        """
        if self.as_json:
            self.document(record)
            return
        for line in lines:
            self.line(line)

    def document(self, record: Mapping[str, object], *, indent: int | None = 2) -> None:
        """One JSON document on stdout, in ASCII."""
        import json

        sys.stdout.write(json.dumps(record, ensure_ascii=True, indent=indent) + "\n")

    def flush(self) -> None:
        """Let a reader see now what was written so far."""
        sys.stdout.flush()

    def line(self, text: str = "") -> None:
        """One line on stdout; what a terminal would obey is shown as an escape."""
        write_line(sys.stdout, text)

    def say(self, text: str) -> None:
        """A sentence to the person, on stderr, wrapped; silent under `--json`."""
        if not self.as_json:
            from textwrap import wrap

            for line in wrap(clean(text), COLUMNS, break_on_hyphens=False):
                write_line(sys.stderr, line)

    def warn(self, text: str) -> None:
        """One line on stderr that matters to programs' users as well."""
        write_line(sys.stderr, f"warning: {text}")


def write_line(stream: TextIO, text: str) -> None:
    """Cleaned, and without the characters that the stream's encoding lacks."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    line = clean(text).rstrip()
    if not line.isascii():
        line = line.encode(encoding, "backslashreplace").decode(encoding)
    stream.write(line + "\n")


def table(
    heads: Sequence[str], rows: Iterable[Sequence[str]], *, flexible: int, columns: int = COLUMNS
) -> Iterable[str]:
    """Lines of a table under its heads; only the column `flexible` is cut to fit `columns`.

    Args:
        heads: one word a column.
        rows: text as received, one cell a column.
        flexible: index of the column that gives way.
        columns: width of the page.
    """
    body = [[clean(cell) for cell in row] for row in rows]
    widths = [max(width(cell) for cell in column) for column in zip(heads, *body, strict=True)]
    others = sum(widths) - widths[flexible] + 2 * (len(widths) - 1)
    widths[flexible] = min(widths[flexible], max(columns - others, 12))
    for row in [list(heads), *body]:
        cells = (pad(fit(cell, w), w) for cell, w in zip(row, widths, strict=True))
        yield "  ".join(cells).rstrip()


def fields(pairs: Iterable[tuple[str, str]], *, indent: int = 0) -> Iterable[str]:
    """Lines `name  value`, values aligned; a pair with an empty value is left out."""
    kept = [(name, value) for name, value in pairs if value]
    room = max((len(name) for name, _ in kept), default=0)
    for name, value in kept:
        yield f"{'':{indent}}{name:{room}}  {value}"


def quoted(text: str, *, mark: str = "    ") -> Iterable[str]:
    """Foreign text of several lines, each behind `mark`, so that none starts a line of ours."""
    return (mark + line for line in text.split("\n"))


def n_of(count: int, one: str, many: str | None = None) -> str:
    """`1 work`, `2 works`, `1,234 works`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def size(n_bytes: int) -> str:
    """Bytes as people read them: `812 bytes`, `3.2 MiB`."""
    if n_bytes < 1024:
        return n_of(n_bytes, "byte")
    power = min((n_bytes.bit_length() - 1) // 10, 4)
    return f"{n_bytes / 1024**power:.1f} {'KMGT'[power - 1]}iB"


def day(time_ms: int) -> str:
    """A claimed time in milliseconds as `2026-03-01 14:02` (UTC)."""
    from datetime import UTC, datetime, timedelta

    try:
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=time_ms)
    except OverflowError:
        return f"{time_ms} ms after 1970"
    return moment.strftime("%Y-%m-%d %H:%M")


def command_lines(line: str, indent: str = "") -> Iterable[str]:
    """A command as typed at a prompt, broken where it is too long: not inside quotes, nor after an option."""
    import re

    word = r"""(?:[^\s'"]|'[^']*'|"[^"]*")+"""
    option_with_value = rf"--?[a-z-]+ (?!-){word}"
    shown = indent + "$"
    for part in re.findall(f"{option_with_value}|{word}", line):
        if len(shown) + len(part) > COLUMNS - 4:
            yield shown + " \\"
            shown = indent + "   "
        shown += " " + part
    yield shown
