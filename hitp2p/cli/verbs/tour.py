"""`hitp2p tour`: the whole story, played with the program's own verbs."""

from __future__ import annotations

import os
import shlex
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from textwrap import wrap

import click

from hitp2p.cli import tour_media
from hitp2p.cli.app import Start, root, verb
from hitp2p.cli.errors import with_step
from hitp2p.cli.output import Output, command_lines
from hitp2p.cli.people import KeyRing
from hitp2p.cli.places import tidy
from hitp2p.cli.run import Run
from hitp2p.codec.cid import Cid
from hitp2p.dataclass import dataclass
from hitp2p.errors import UsageError
from hitp2p.trail.display import short_name

PEOPLE = ("Ana", "Bo", "Cy")
PROJECT = "Night Bus"
BUNDLE = "single.wav.car"

TUNE = (220, 0, 262, 294, 330, 294, 262, 0, 220, 262, 330, 392)
LONG_TUNE = (*TUNE, 349, 330, 294, 262, 220, 0, 220, 440)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that happens."""

    story: str
    """What it is about."""
    argv: tuple[str, ...]
    """The command; `{verse}` and the like stand for short names of works made before."""
    makes: str | None = None
    """Under which word later steps name the work that it signs."""


def _made(who: str, makes: str, story: str, *argv: str) -> Step:
    agreed = ("--yes",) if makes == "project" else ()  # shown once; Bo and Cy agree unseen
    return Step(story=story, argv=(*argv, "--as", who, *agreed), makes=makes)


def _born(name: str, story: str = "") -> Step:
    file = f"recovery/{name.lower()}.key"
    return Step(
        story=story,
        argv=("id", "new", name, "--no-passphrase", "--recovery-file", file),
        makes=name,
    )


STORY = (
    Step(story="A workspace is a folder with a store in it.", argv=("init",)),
    _born("Ana", "Everyone makes an identity once. (You should give yours a passphrase.)"),
    _born("Bo"),
    _born("Cy"),
    _made(
        "Ana", "project",
        "Ana opens a project. Anyone may add to it; works that say nothing else are under its licence.",
        "project", "new", PROJECT, "--license", "CC-BY-SA-4.0", "--purpose", "A song about riding home late",
    ),
    _made(
        "Ana", "verse", "She writes a verse and signs it into the project.",
        "contribute", "verse.txt", "--title", "Verse", "--role", "lyr", "--language", "en",
    ),
    _made(
        "Bo", "song", "Bo makes music of it. What it builds on, and how, is part of what he signs.",
        "remix", "song.wav", "--of", "{verse}", "--title", "Song", "--role", "cmp",
        "--note", "Ana's verse made me sing",
    ),
    _made(
        "Cy", "picture", "Cy draws what the verse showed them.",
        "remix", "bus.png", "--of", "{verse},inspired-by", "--title", "Window seat", "--role", "ill",
        "--alt", "A red bus with lit windows under the moon", "--note", "I sat in that bus once",
    ),
    _made(
        "Ana", "second", "The song moves Ana to a second verse.",
        "remix", "verse-2.txt", "--of", "{song},response", "--title", "Second verse", "--role", "lyr",
        "--language", "en", "--note", "Your bridge asked for an answer",
    ),
    _made(
        "Bo", "single",
        "Bo brings it all together: three works from here, a sound from outside, and a friend who has no identity.",
        "remix", "single.wav", "--of", "{song},version", "--of", "{second}", "--of", "{picture},collect",
        "--title", "Night Bus (single)", "--role", "cmp", "--role", "prf", "--credit", "Dee:mix",
        "--source", "https://example.org/rain,title=Rain on a window,author=Eve,license=CC0-1.0,relation=sample",
        "--note", "Everything we had, in one take",
    ),
    Step(story="This is the trail: who made what from what.", argv=("trail",)),
    Step(story="The credits of the single come from the trail, at any depth.", argv=("credits", "{single}")),
    Step(
        story="One file carries the single's whole trail; anyone can check it, offline.",
        argv=("export", "{single}", "-o", BUNDLE),
    ),
)  # fmt: skip
"""The story. A test runs it, so the commands are ones that work."""


@verb(
    examples=[
        ("hitp2p tour", "Play it in the new folder hitp2p-tour."),
        ("hitp2p tour night-bus", "Play it in another new folder."),
    ],
    json_fields={
        "folder": "the workspace that the tour leaves",
        "people.*": "name to CID of an identity",
        "works.*": "word in the story to CID of a work",
        "bundle": "the file that carries the last work's trail",
    },
)
@click.argument("folder", metavar="[DIR]", default="hitp2p-tour", type=click.Path(file_okay=False))
def command(run: Run, folder: str) -> None:
    """Play a whole story in a fresh folder: three people, six steps, text, picture and sound.

    It prints each command as you could have typed it, and leaves a workspace to explore. The
    people of the tour are playthings: their keys lie in the folder, without a passphrase, and not
    among yours.
    """
    place = Path(folder).absolute()
    if place.exists() and any(place.iterdir()):
        raise with_step(UsageError(f"{folder} is not empty"), "Name a new folder: hitp2p tour DIR")
    place.mkdir(parents=True, exist_ok=True)
    with _inside(place, run.store):
        made = _play(run.out, run.keys)
    people, works = (
        {word: cid for word, cid in made.items() if (word in PEOPLE) is wanted}
        for wanted in (True, False)
    )
    run.out.emit(
        {"folder": str(place), "people": people, "works": works, "bundle": str(place / BUNDLE)},
        _farewell(place, short_name(Cid.parse(works["single"]))),
    )


SURROUNDINGS: Mapping[str, str | None] = {
    "HITP2P_KEYS": "keys",
    "HITP2P_WORKSPACE": None,
    "HITP2P_AS": None,
}
"""Environment of the tour's commands."""


@contextmanager
def _inside(place: Path, store: str | None) -> Generator[None]:
    """Be in the tour's folder, with the tour's keys and the store chosen for it, for as long as it plays."""
    surroundings = {**SURROUNDINGS, "HITP2P_STORE": store}
    folder, environ = Path.cwd(), {name: os.environ.get(name) for name in surroundings}
    os.chdir(place)
    _set_variables(surroundings)
    try:
        yield
    finally:
        os.chdir(folder)
        _set_variables(environ)


def _set_variables(values: Mapping[str, str | None]) -> None:
    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


class _Listener(Output):
    """Passes a verb's lines on to the tour's reader, and keeps its record for the steps to come."""

    def __init__(self, outer: Output) -> None:
        super().__init__(as_json=outer.as_json)
        self.record: Mapping[str, object] = {}

    def emit(self, record: Mapping[str, object], lines: Iterable[str]) -> None:
        self.record = record
        if not self.as_json:
            super().emit(record, lines)


def _play(out: Output, keys: KeyRing) -> dict[str, str]:
    """Do every step; word in the story -> CID."""
    for name, data in _media():
        Path(name).write_bytes(data)
    made: dict[str, str] = {}
    for step in STORY:
        short = {word: short_name(Cid.parse(cid)) for word, cid in made.items()}
        argv = [part.format(**short) for part in step.argv]
        if not out.as_json:
            for line in _announced(step.story, argv):
                out.line(line)
        listener = _Listener(out)
        with root.make_context("hitp2p", [*argv], obj=Start(argv, listener)) as ctx:
            root.invoke(ctx)
        if step.makes:
            made[step.makes] = str(listener.record["cid"])
        if step.makes in ("Bo", "Cy"):
            keys.remember(told=[*keys.settings().get("told", ()), made[step.makes]])
    return made


def _media() -> Iterator[tuple[str, bytes]]:
    yield "verse.txt", tour_media.FIRST_VERSE.encode()
    yield "verse-2.txt", tour_media.SECOND_VERSE.encode()
    yield "bus.png", tour_media.night_bus_png()
    yield "song.wav", tour_media.song_wav(TUNE)
    yield "single.wav", tour_media.song_wav(LONG_TUNE, rain=True)


def _quoted(word: str) -> str:
    """A word as people would quote it."""
    return f'"{word}"' if "'" in word and not set(word) & set('"$`\\!') else shlex.quote(word)


def _announced(story: str, argv: Sequence[str]) -> Iterator[str]:
    """The story, and the command as it could be typed."""
    yield ""
    if story:
        yield from wrap(story, 78)
        yield ""
    yield from command_lines(" ".join(["hitp2p", *map(_quoted, argv)]))


def _farewell(place: Path, single: str) -> Iterator[str]:
    yield ""
    yield "That was the tour. The workspace is yours to explore:"
    yield ""
    yield f"  cd {shlex.quote(tidy(place))}"
    yield "  export HITP2P_KEYS=keys          # speak as Ana, Bo or Cy"
    yield f"  hitp2p show {single}"
    yield f"  hitp2p credits {single} --format html > credits.html"
    yield f"  hitp2p cat {single} > listen.wav"
    yield f"  hitp2p remix YOUR-FILE --of {single} --title TITLE --as Cy"
    yield ""
    yield 'For works of your own, leave HITP2P_KEYS unset and begin with "hitp2p id new".'
