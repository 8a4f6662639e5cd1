"""The command line: ``edge``.

One module a command, imported when the command runs; ``edge --help`` therefore reads neither numpy nor OpenCV.

Exit codes of every command: 0 accept or success, 1 reject, 2 no decision, 3 bad input, settings or usage, 4 internal
error or unfit device. `main` maps click's own usage errors to 3 and uncaught exceptions to 4.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING

import click

from edge._isolated import run_isolated

if TYPE_CHECKING:
    from edge.errors import EdgeError

#: command -> (module below edge.cli, one line of help). The order is the order of `edge --help`.
COMMANDS: dict[str, tuple[str, str]] = {
    "demo": ("demo", "See the whole chain work on people who do not exist; no camera needed."),
    "enrol": ("enrol", "Capture a person who consents, seal the template, hand out the card."),
    "verify": ("verify", "Decide about one claim, once."),
    "run": ("run", "Run the device: wait for a claim, look, decide, act, journal."),
    "selftest": ("selftest", "Is this device fit to decide?"),
    "init": ("init", "Begin a device: ten questions, two files, and what is still missing."),
    "doctor": ("doctor", "What is attached, against what the settings expect."),
    "bench": ("bench", "How fast is this board? Beside it, estimates for others."),
    "revoke": ("revoke", "Revoke a lost card by its printed serial."),
    "erase": ("erase", "Erase a person, and hand out a receipt of what was done and what may remain."),
    "subject": ("subject", "Show a person everything that is kept about them, in their language."),
    "vault": ("vault", "Show what is deleted when, and delete now what is due."),
    "reset": ("reset", "Clear the lockout of a card, or the fan-out guard of the door."),
    "confirm": ("confirm", "Confirm the clock, a restored vault, or a damaged state, as an operator."),
    "keys": ("keys", "Make, show and rotate this device's keys and its issuers."),
    "build": ("build", "Say what this build can and cannot do; sign and verify wheels."),
    "policy": ("policy", "Explain what the policy packs say of a deployment; list, sign and add packs."),
    "models": ("models", "Show, verify and add models; bring your own."),
    "prove": ("prove", "Show what a build can and cannot do, to a person who does not trust it."),
    "config": ("config", "Check and show the settings."),
    "schema": ("schema", "Print the JSON Schema of an answer or an event."),
    "journal": ("journal", "Verify, show and export the journal."),
    "support-report": ("support_report", "Write down what a maintainer needs to help; safe to share."),
    "compare": ("compare", "Compare two pictures."),
    "lab": ("lab", "Measure and calibrate models on picture files."),
    "attack": ("attack", "Record attacks at this door, and measure them."),
}

#: What `edge --help` shows as a beginning, of the commands that a build has.
FIRST_STEPS = (
    ("edge demo", "the whole chain on generated people, with a contact sheet"),
    ("edge keys init", "keys for this device and this site"),
    ("edge config check FILE", "every mistake in the settings, with line and column"),
    ("edge enrol --card ada.pdf", "capture a person and print their card"),
    ("edge run", "open the door for the people who hold a card"),
    ("edge lab evaluate --help", "measure a model on picture files"),
    ("edge build show", "what this build can and cannot do"),
)

#: What is said of a command that this build does not contain.
ABSENT = {
    "compare": "a device build has no way from a picture to a score without a signed claim",
    "lab": "a device build has no way from pictures to scores without a signed claim",
    "attack": "no wheel keeps pictures of people",
}
#: What a lab build leaves out: all that needs a camera, a vault or a door.
ABSENT_FROM_A_LAB = "a lab build works on picture files and holds neither camera nor vault nor door"


class _Commands(click.Group):
    """Loads a command's module when it is called, not before."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands whose modules are in this build; the others say, when they are called, why they are not."""
        there = os.listdir(os.path.dirname(__file__))  # noqa: PTH120, PTH208 - pathlib is a tenth of what --help takes
        return [name for name, (module, _) in COMMANDS.items() if f"{module}.py" in there]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _ = COMMANDS[cmd_name]
        try:
            command = import_module(f"edge.cli.{module}").command
        except ModuleNotFoundError as error:
            if error.name == f"edge.cli.{module}":
                return _absent(cmd_name)
            raise
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does; its own guess looks at commands that are loaded already, and none is."""
        name = args[0]
        if name not in COMMANDS and name[:1] != "-" and not ctx.resilient_parsing:
            from difflib import get_close_matches  # a tenth of what `edge --help` takes

            near = get_close_matches(name, self.list_commands(ctx), n=1)
            ctx.fail(f"No such command {name!r}." + "".join(f" Did you mean {one!r}?" for one in near))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        there = self.list_commands(ctx)
        with formatter.section("First steps"):
            formatter.write_dl([step for step in FIRST_STEPS if step[0].split()[1] in there])
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name][1]) for name in there])


def _absent(name: str) -> click.Command:
    """A command that is not in this build says so, and why, instead of being unknown."""
    from edge.errors import NotInThisBuild

    @click.command(name, context_settings={"ignore_unknown_options": True}, add_help_option=False)
    @click.argument("_args", nargs=-1)
    def command(_args: tuple[str, ...]) -> None:
        raise NotInThisBuild(
            f"`edge {name}` is not in this build: {ABSENT.get(name, ABSENT_FROM_A_LAB)}",
            where="build",
            remedy="use a development install (pip install -e .) on a desk, never on a door",
        )

    return command


def _version(ctx: click.Context, _option: click.Parameter, wanted: bool) -> None:
    """One line: the version with its label, and what such a build may do as far as it can be told without checking."""
    if not wanted or ctx.resilient_parsing:
        return
    from edge.profile import bears_signature, current

    build = current()
    told = f"a {build.profile} build" if build.profile != "development" else "a development install"
    if not build.is_device:
        told += ", drives the log door only" if build.profile == "development" else ", drives no door"
    elif build.fault or not bears_signature():
        told += f", {build.fault or 'unsigned'}: drives the log door only"
    else:
        told += ", with a signature: `edge build show` says whether it counts here"
    click.echo(f"edge {build.version}, {told}")
    ctx.exit()


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 accept or success, 1 reject, 2 no decision, 3 bad input or settings, 4 internal or unfit.",
)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Show what this is, and exit."
)
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    envvar="EDGE_LOG",
    help="Log to standard error; off by default. EDGE_LOG does the same.",
)
def edge(log_level: str | None) -> None:
    """One person, one claim, one decision.

    A person says who they are with a card or a QR code; this device looks once and answers yes or no about that one
    person. It cannot search for a face among many: no code for that exists in it.
    """
    if log_level is not None:
        import logging

        logging.basicConfig(level=log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s")


def main(arguments: list[str] | None = None) -> int:
    """Run the command line.

    Returns:
        The exit code: 0, 1, 2, 3 or 4 (module docstring). Never raises.
    """
    given = sys.argv[1:] if arguments is None else arguments
    try:
        result = edge.main(args=arguments, prog_name="edge", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except click.exceptions.Exit as error:
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("edge: stopped", err=True)
        return 2
    except BrokenPipeError:
        return 3
    except Exception as error:
        return _failed(error, given)


def _failed(error: Exception, given: Sequence[str]) -> int:
    """Tell an exception: ours as it is, click's as wrong usage, any other by its class alone."""
    from edge.errors import EdgeError, UsageError

    if isinstance(error, EdgeError):
        return _refused(error, given)
    if isinstance(error, click.ClickException):
        if "--json" in given:
            return _refused(UsageError(error.format_message(), where="command line", remedy="see --help"), given)
        error.show(sys.stderr)
        return 3
    import traceback

    printing = (click.utils.__file__, "echo")  # what all commands answer with
    place = traceback.extract_tb(error.__traceback__)[-1]
    if isinstance(error, OSError) and (place.filename, place.name) == printing:
        what, remedy = f"the answer cannot be written ({error.strerror})", "make room, or send it elsewhere"
        return _refused(EdgeError(what, where="standard output", remedy=remedy), given)
    import logging

    from edge.errors import place_of

    log = logging.getLogger("edge")
    if log.hasHandlers():  # without one, logging would print it all the same
        log.error("internal error\n%s", "".join(traceback.format_tb(error.__traceback__)).rstrip())
    # An unexpected message might hold what must not be printed: its class and its place say enough.
    what = f"internal error ({place_of(error)})"
    return _refused(EdgeError(what, remedy="please report it with the command you ran"), given, exit_code=4)


def _refused(error: EdgeError, arguments: Sequence[str], *, exit_code: int | None = None) -> int:
    """Tell an error: one line a problem on stderr, or one JSON object on stdout when ``--json`` was asked for."""
    if "--json" in arguments:
        import json

        from edge.cli._common import error_json

        try:
            click.echo(json.dumps(error_json(error, next((word for word in arguments if word in COMMANDS), ""))))
        except OSError:  # the reader of the answers has gone, or the disk is full; the other stream is tried
            click.echo(f"edge: {error}", err=True)
    else:
        for line in getattr(error, "problems", ()) or (error,):
            click.echo(f"edge: {line}", err=True)
    return error.exit_code if exit_code is None else exit_code


def run() -> None:
    """Entry point of the installed command; a device build runs it isolated (`edge._isolated`), however it was begun.

    What is still in standard output's buffer is written here: a reader that has gone, or a full disk, must end in one
    of our exit codes, not in the interpreter's 1 or 120, which would mean a reject or nothing.
    """
    run_isolated()
    code = main()
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = code or 3
    import threading  # click does without

    if any(thread.daemon for thread in threading.enumerate()):
        # A driver that does not answer is still inside its C++ code. Python would end that thread there, and C++ then
        # ends the whole process with 134 in place of our exit code.
        os._exit(code)
    gc.freeze()  # what is there goes with the process: a last search for garbage is a tenth of what --help takes
    sys.exit(code)
