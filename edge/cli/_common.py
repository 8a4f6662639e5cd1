"""What commands share: their options, how they answer, and where an operator's act is carried out.

    @click.command("revoke")
    @click.argument("serial")
    @shared(operator=True)                                 # --config, --operator; --json with json=True
    def command(serial: str, settings: Settings, operator: str) -> Answer:
        with operator_on(settings, operator) as acts:
            answer = acts.do("revoke", serial=serial)
        return Answer(answer, f"Card {serial} is revoked.")

An answer is text for a person or exactly one JSON object for a machine, and an exit code; errors are raised, and told
by `edge.cli.main`. `edge schema` prints the schemas of all objects. Only a terminal has a width, so nothing else is
ever wrapped: a line that a program reads, or that people search for, must not depend on the window it was made in.
"""

from __future__ import annotations

import functools
import json as jsons
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

import click

if TYPE_CHECKING:
    from edge.errors import EdgeError
    from edge.service import Parts
    from edge.settings import Settings
    from edge.types import Decision
    from edge.types.events import Event

#: A decision's exit code, and the schema of its JSON object.
EXIT = {"accept": 0, "reject": 1, "no_decision": 2}
DECISION = "edge/decision/v1"
#: Commands that answer a decision, also when something is wrong.
DECIDE = ("verify", "compare")
PATH = click.Path(path_type=Path)
#: The complete languages of `edge.messages`; ``--help`` imports none of it.
LANGUAGE = click.Choice(["en", "fr", "de", "es", "ar"])
_WIDEST = 100  # longer lines are hard to read, however wide the window is


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command answers.

    Attributes:
        data: the JSON object; ``error: null`` is added. text: what a person reads: lines, or the function that says
            them. code: the exit code.
    """

    data: Mapping[str, Any]
    text: str | Iterable[str] | Callable[[], object] = ""
    code: int = 0

    def give(self, json: bool) -> int:
        """Print it. Returns the exit code."""
        if json:
            click.echo(jsons.dumps({**self.data, "error": self.data.get("error")}))
        elif callable(self.text):
            self.text()
        else:
            for line in (self.text,) if isinstance(self.text, str) else self.text:
                click.echo(line)
        return self.code


def shared(
    *, settings: Literal["device", "example", "file", ""] = "device", operator: bool = False, json: bool | str = False
) -> Callable[[Callable[..., Any]], Callable[..., int]]:
    """Give a command the options that commands share, and print the `Answer` that it returns.

    Args:
        settings: what ``--config`` becomes: ``device`` and ``example`` are read and handed over as ``settings``, the
            second from the packaged example where there is no file; ``file`` is the path as ``config``.
        operator: ``--operator``, required, as ``operator``. json: ``--json``, or what its help says; see `quiet`.
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., int]:
        @functools.wraps(function)
        def command(*arguments: Any, json_wanted: bool = False, **options: Any) -> int:
            if settings in ("device", "example"):
                config = options.pop("config")
                options["settings"] = settings_or_example(config) if settings == "example" else device_settings(config)
            answer = function(*arguments, **options)
            return answer.give(json_wanted) if isinstance(answer, Answer) else int(answer or 0)

        made: Callable[..., int] = command
        if json:
            told = json if isinstance(json, str) else "Print exactly one JSON object."
            made = click.option("--json", "json_wanted", is_flag=True, help=told)(made)
        if settings:
            found = "/etc/edge/device.yaml" + (", else the example" if settings == "example" else "")
            made = click.option("--config", type=PATH, help=f"Settings (default {found}).")(made)
        if operator:
            made = click.option("--operator", required=True, help="Who does it; journalled by name.")(made)
        return made

    return decorate


def quiet() -> bool:
    """Whether ``--json`` was asked for, so that nothing else is to be printed."""
    return bool(click.get_current_context().params.get("json_wanted"))


def device_settings(config: Path | None) -> Settings:
    """The settings of a device; see `edge.settings.load_settings`."""
    from edge.settings import load_settings

    return load_settings(config)


def settings_or_example(config: Path | None) -> Settings:
    """The same, from the packaged example where there is no file, for what only asks where the folders are."""
    from edge.settings import default_file

    return device_settings(default_file() if config is None else config)


def decision_json(decision: Decision, alternative: str = "") -> dict[str, Any]:
    """The JSON object of a decision. ``alternative``: the way in without one's face; left empty on an accept."""
    from edge.types import Outcome, events

    other = "" if decision.outcome is Outcome.ACCEPT else alternative
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    return {"schema": DECISION, **events.decision_json(decision), "alternative": other, "time": now, "error": None}


def error_json(error: EdgeError, command: str) -> dict[str, Any]:
    """The object of a command that failed: a decision where one was asked for; its readers look at the outcome."""
    if command not in DECIDE:
        return {"schema": "edge/error/v1", "error": error.as_json()}
    from edge.errors import ClaimError
    from edge.types import Decision, Outcome, Reason

    refused = isinstance(error, ClaimError)
    blank = decision_json(Decision(Outcome.REJECT if refused else Outcome.NO_DECISION, Reason.ERROR, 0.0))
    reason = error.reason if isinstance(error, ClaimError) else "error"
    return {**blank, "reason": reason, "target_fmr": None, "credential": None, "error": error.as_json()}


def utc(seconds: int, form: str = "%Y-%m-%d") -> str:
    """Unix seconds as a day, or in another form, UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime(form)


def width() -> int | None:
    """Columns to wrap at; None when standard output is no terminal."""
    return min(shutil.get_terminal_size().columns, _WIDEST) if sys.stdout.isatty() else None


def wrapped(text: str, first: str = "", rest: str | None = None) -> str:
    """A sentence in lines that fit the terminal; one line elsewhere.

    Args:
        text: a space that must not break is U+00A0. first: before the first line. rest: before the others; None: as
            many spaces as ``first`` has characters.
    """
    columns = width()
    if columns is None:
        return first + text
    wrap = textwrap.TextWrapper(columns, first, break_long_words=False, break_on_hyphens=False)
    wrap.subsequent_indent = " " * len(first) if rest is None else rest
    return wrap.fill(text)


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows as lines, each column as wide as its widest cell, the last one as it is."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)][:-1]
    return ["  ".join([*map(str.ljust, row, widths), row[-1]]) for row in rows]


class Acts(Protocol):
    """An `edge.service.Operator`, or a `Remote` one."""

    def do(self, act: str, **arguments: Any) -> dict[str, Any]:
        """See `edge.service.Operator.do`."""


@contextmanager
def operator_on(
    settings: Settings,
    name: str,
    *,
    parts: Parts | None = None,
    observe: Callable[[Event], None] | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Iterator[Acts]:
    """The acts of one named person: of the running door when one listens, else of a device opened here and held.

    Args:
        settings: of the device. name: of the operator. parts: for `Device.open`.
        observe: told the progress of a capture. cancelled: true ends a capture.

    Raises:
        FolderBusy: another process holds the device and carries out no acts. As `Device.open`.
    """
    from edge.errors import FolderBusy
    from edge.service import Device, Operator, Parts, Remote

    folder = settings.device.state_dir
    try:
        device = Device.open(settings, parts or Parts(), hold=f"edge {click.get_current_context().info_name}")
    except FolderBusy:
        if not Remote.listening(folder):
            raise
        yield Remote(folder, name, observe or (lambda _: None))
        return
    with device:
        if observe is not None:
            device.observe(observe, name="command")
        yield Operator(device, name, cancelled=cancelled)
