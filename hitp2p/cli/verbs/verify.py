"""`hitp2p verify`."""

from __future__ import annotations

import glob
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from hitp2p.cli.app import verb
from hitp2p.cli.errors import with_step
from hitp2p.cli.output import n_of
from hitp2p.cli.places import tidy
from hitp2p.cli.progress import progress
from hitp2p.cli.run import Run
from hitp2p.errors import NotFoundError, UsageError
from hitp2p.trail.report_json import REPORT_FIELDS, report_json
from hitp2p.trail.report_text import render_report

if TYPE_CHECKING:
    from hitp2p.gateway import Gateway
    from hitp2p.trail.report import Report
    from hitp2p.workspace import Workspace

_WORST_FIRST: Final = (30, 20, 40, 13, 12, 11, 10, 0)
"""Which status stands for several files [VER-6]."""


@verb(
    examples=[
        ("hitp2p verify song.wav", "With its bundle, song.wav.car, beside it."),
        (
            "hitp2p verify song.wav --require match=exact,credits=confirmed",
            "For scripts: status 13 where one of these isn't met.",
        ),
        ("hitp2p verify downloads", "Every file in a folder, with a summary."),
    ],
    json_fields=REPORT_FIELDS,
)
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--bundle",
    metavar="FILE.car",
    help="The bundle that describes the file; else FILE.car beside it, if there is one.",
)
@click.option(
    "--require",
    "required",
    multiple=True,
    metavar="A=B,...",
    help="What you insist on, such as match=exact, credits=confirmed, time=witness:2, license=ok.",
)
@click.option(
    "--online",
    is_flag=True,
    help="Without a bundle, fetch the record that the file's tags point to from a gateway.",
)
@click.option(
    "--gateway",
    envvar="HITP2P_GATEWAY",
    metavar="URL",
    help="Which; else HITP2P_GATEWAY, else your own Kubo at http://127.0.0.1:8080.",
)
@click.option("--html", "page", metavar="PAGE", help="Write the report as one offline page, too.")
@click.option("--explain", "form", flag_value="explain", help="Then all that each line rests on.")
@click.option("--credits", "form", flag_value="credits", help="The credit sheet instead.")
@click.option("--tree", "form", flag_value="tree", help="The tree of sources instead.")
def command(
    run: Run,
    files: tuple[str, ...],
    bundle: str | None,
    required: tuple[str, ...],
    online: bool,
    gateway: str | None,
    page: str | None,
    form: str | None,
) -> None:
    """Tell what a file is: who made it, from what, under which terms, what is
    proven, and what isn't.

    The record comes from the bundle beside the file, and from your workspace where you are in one.
    Without --online nothing is sent or fetched. Tags may have been changed: where only they differ, the file still
    matches by its essence. Where nothing matches, works are named that it shares parts with or resembles,
    of those in your workspace and of media in the bundle; prints of your media are kept in the workspace
    for that, and nothing else is written.

    Exit status: 0 VERIFIED, 10 VERIFIED-WITH-GAPS, 11 CONTAINS, 12 RESEMBLES, 13 a --require isn't
    met, 20 DISPUTED, 30 BROKEN, 40 UNKNOWN, 2 the file can't be read. Of several files the worst
    counts: 30, 20, 40, 13, 12, 11, 10, 0. Their JSON has reports[], summary and exit_status.
    """
    from hitp2p.trail.requirements import parse_requirements
    from hitp2p.verifier import verify

    wanted = tuple(one for text in required for one in parse_requirements(text))
    paths = list(_expand(files))
    _refuse_missing(paths if bundle is None else [*paths, Path(bundle)])
    _refuse_one_for_many(paths, bundle, page)
    workspace = _workspace(run)
    source = _gateway(gateway) if online else None
    with progress("comparing media", unit="objects", quiet=run.out.as_json) as moved:
        reports = [
            verify(
                path,
                bundle=bundle,
                workspace=workspace,
                online=source,
                require=wanted,
                name=_label(path, paths),
                progress=moved,
            )
            for path in paths
        ]
    if page is not None:
        _write_page(page, reports[0])
    if len(paths) == 1:
        run.out.emit(report_json(reports[0]), _lines(reports[0], form))
    else:
        _emit_all(run, reports)
    click.get_current_context().exit(_status(reports))


def _expand(files: Iterable[str]) -> Iterator[Path]:
    """Files as they are, patterns that no shell expanded, and the files below folders, bundles left out."""
    for name in files:
        path = Path(name)
        if path.is_dir():
            yield from _below(path)
        elif glob.has_magic(name) and not path.exists():
            yield from (Path(found) for found in sorted(glob.glob(name)) if os.path.isfile(found))
        else:
            yield path


def _below(folder: Path) -> Iterator[Path]:
    for where, folders, names in os.walk(folder):
        folders[:] = sorted(one for one in folders if not one.startswith("."))
        for name in sorted(names):
            path = Path(where, name)
            if not name.startswith(".") and path.suffix != ".car" and path.is_file():
                yield path


def _refuse_missing(paths: Iterable[Path]) -> None:
    for path in paths:
        if not path.exists():
            raise with_step(NotFoundError(f"{path}: there is no such file"), "Check its name.")


def _refuse_one_for_many(paths: list[Path], bundle: str | None, page: str | None) -> None:
    if not paths:
        raise with_step(
            NotFoundError("there is no file to verify there"),
            "Name a file, or a folder with files.",
        )
    if len(paths) > 1 and (bundle is not None or page is not None):
        option = "--bundle" if bundle is not None else "--html"
        raise with_step(
            UsageError(f"{option} is for one file; {len(paths)} were named"), "Name one file."
        )


def _label(path: Path, paths: list[Path]) -> str:
    return path.name if len(paths) == 1 else tidy(path)


def _workspace(run: Run) -> Workspace | None:
    """The workspace that was named, or the one here; a file can be verified without any."""
    try:
        _ = (
            run.folder
        )  # first, as the store takes longer to import than all that a small file needs
    except NotFoundError:
        if run.chose_workspace:
            raise
        return None
    return run.workspace


def _gateway(url: str | None) -> Gateway:
    from hitp2p.gateway import DEFAULT_GATEWAY, Gateway

    return Gateway(url or DEFAULT_GATEWAY)


def _write_page(page: str, report: Report) -> None:
    from hitp2p.trail.report_html import render_html_page

    try:
        Path(page).write_text(render_html_page(report), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{page}: can't be written ({error.strerror})") from error


def _lines(report: Report, form: str | None) -> Iterator[str]:
    from hitp2p.trail.report_explain import render_explained, render_tree

    if form == "explain":
        text = render_explained(report)
    elif report.credits is None or form is None:
        text = render_report(report)
    elif form == "credits":
        text = report.credits.sheet.text()
    else:
        text = render_tree(report)
    yield from text.split("\n")


def _emit_all(run: Run, reports: list[Report]) -> None:
    counts = Counter(report.headline.value for report in reports)
    record = {
        "reports": [report_json(report) for report in reports],
        "summary": dict(sorted(counts.items())),
        "exit_status": _status(reports),
    }
    run.out.emit(record, _summary(reports, counts))


def _summary(reports: list[Report], counts: Counter[str]) -> Iterator[str]:
    """One line a file, then the counts."""
    width = max(len(report.headline.value) for report in reports)
    for report in reports:
        yield f"{report.headline.value:<{width}}  {report.file.name}: {report.because}"
    yield ""
    yield f"{n_of(len(reports), 'file')}: " + ", ".join(
        f"{count} {headline}" for headline, count in sorted(counts.items())
    )


def _status(reports: Iterable[Report]) -> int:
    found = {report.exit_status for report in reports}
    return next(status for status in _WORST_FIRST if status in found)
