"""`sgbench identify`."""

import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sgbench.cli._pattern import ScanOption, WavelengthOption
from sgbench.errors import SgbenchError
from sgbench.files import write_atomically

if TYPE_CHECKING:
    from sgbench.identification import Identification


class Form(StrEnum):
    """How to print answers."""

    text = "text"
    json = "json"


def identify(
    files: Annotated[
        list[Path],
        typer.Argument(help="Files of any format of docs/patterns.md, or folders of such files."),
    ],
    wavelength: WavelengthOption = None,
    scan: ScanOption = None,
    deep: Annotated[
        bool,
        typer.Option("--deep", help="Search orthorhombic, monoclinic and triclinic cells as well."),
    ] = False,
    time_limit: Annotated[
        float | None,
        typer.Option(
            min=1.0,
            help="Seconds a pattern after which no further cell is looked for; 10, or 60 with "
            "--deep.",
        ),
    ] = None,
    form: Annotated[Form, typer.Option("--format", help="How to print.")] = Form.text,
    html: Annotated[
        Path | None, typer.Option(help="Write the answers here as well, as one page with plots.")
    ] = None,
) -> None:
    """Say which extinction class and space groups measured powder patterns are of, and why.

    Of several files, or of a folder, a table has a row each. A file of a folder that is no pattern
    is named and left out; one that was named by itself ends the command with status 2 after all
    others were answered.
    """
    from sgbench.checked import printed
    from sgbench.identification import answer_text, identify_pattern, render_answers, summary_rows
    from sgbench.measured import read_pattern
    from sgbench.progress import task
    from sgbench.text import plain, table_text

    chosen = _named(_chosen(files))
    if html and html.exists() and any(html.samefile(path) for path in chosen if path.exists()):
        raise SgbenchError(
            f"cannot write {html}: it is one of the patterns; expected a place for a page. Name "
            "another one."
        )
    answers: list[Identification] = []
    refused: list[tuple[str, str]] = []
    to_mend: SgbenchError | None = None
    with ExitStack() as stack:
        # A bad place for the page is told before the work.
        page = html and stack.enter_context(write_atomically(html))
        progress = stack.enter_context(task("identify", len(chosen), says_the_end=False))
        for path, name in chosen.items():
            try:
                pattern = read_pattern(path, wavelength, scan)
                answers.append(
                    identify_pattern(pattern, printed(name), deep=deep, time_limit=time_limit)
                )
            except SgbenchError as error:
                if len(chosen) == 1:
                    raise
                refused.append((printed(name), plain(str(error))))
                if path in files:
                    to_mend = to_mend or error
            progress.advance(1)
        if not answers:
            raise SgbenchError(
                f"none of the {len(chosen)} files is a pattern that can be answered; expected one. "
                f"The first, {refused[0][0]}: {refused[0][1]}"
            )
        if page:
            page.write_text(render_answers(answers, refused), encoding="utf-8")
    if form is Form.json:
        _print_json(answers, refused)
    elif len(answers) == 1 and not refused:
        sys.stdout.write(answer_text(answers[0]))
    else:
        sys.stdout.write(table_text(summary_rows(answers)))
        for name, reason in refused:
            sys.stdout.write(f"left out: {name}: {reason}\n")
    if html:
        typer.echo(f"wrote {html}", err=True)
    if to_mend is not None:
        raise to_mend


def _print_json(answers: "Sequence[Identification]", refused: Sequence[tuple[str, str]]) -> None:
    rows: list[dict[str, Any]] = [one.as_dict() for one in answers]
    rows += [{"name": name, "refused": reason} for name, reason in refused]
    sys.stdout.write(json.dumps(rows, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def _named(files: Iterable[tuple[Path, str]]) -> dict[Path, str]:
    """Return each file once with its name, or with its whole path where others are named so."""
    names: dict[Path, str] = {}
    seen = set()
    for path, name in files:
        if path.resolve() not in seen:
            seen.add(path.resolve())
            names[path] = name
    count = Counter(names.values()) + Counter(path.as_posix() for path in names)
    own = {path: count[name] - (path.as_posix() == name) for path, name in names.items()}
    return {path: name if own[path] == 1 else path.as_posix() for path, name in names.items()}


def _chosen(files: Sequence[Path]) -> Iterator[tuple[Path, str]]:
    """Yield files with their names; of a folder those in it, at any depth, hidden ones left out."""
    for path in files:
        if not path.is_dir():
            yield path, path.name
            continue
        inside = sorted(
            one
            for one in path.rglob("*")
            if one.is_file() and not any(p.startswith(".") for p in one.relative_to(path).parts)
        )
        if not inside:
            raise SgbenchError(
                f"the folder {path} holds no files; expected patterns. Name another one."
            )
        for one in inside:
            yield one, one.relative_to(path).as_posix()
