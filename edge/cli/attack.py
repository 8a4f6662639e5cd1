"""`edge attack`: a set of attacks recorded at the real door, and its report. In development installs only.

edge attack record SET     guides through people, species and lights; frames are kept encrypted
edge attack report SET     `edge lab attack` over the set, which is deleted afterwards
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edge.cli._common import PATH, Answer, shared
from edge.cli._signer import PASSPHRASE, passphrase

if TYPE_CHECKING:
    from edge.settings import Settings

#: Where a report's pictures lie while it is made: memory on every Linux.
_MEMORY = Path("/dev/shm")  # noqa: S108 - a new folder of mode 0700 is made in it
CONSENT = (
    "Pictures of your face, and of photographs of it, are kept encrypted on this machine until the report is made, and "
    "are then deleted. They measure how well this door tells people from pictures, and nothing else. You can say no, "
    "and later ask for them to be deleted."
)


@click.group()
def command() -> None:
    """Record attacks at this very door, and measure them (development installs only; no wheel holds this).

    \b
    Examples
      edge attack record set --config device.yaml --people 3
      edge attack report set --out report
    """


@command.command("record")
@click.argument("folder", type=PATH, metavar="SET")
@click.option("--people", type=click.IntRange(1, 200), default=1, show_default=True, help="How many take part.")
@click.option("--species", multiple=True, help="What is held up; again for each. Default: print, phone, tablet.")
@click.option("--light", multiple=True, default=("as it is",), help="A light to record under; again for each.")
@click.option("--seconds", type=click.FloatRange(1, 20), default=3.0, show_default=True, help="Of each session.")
@PASSPHRASE
@shared()
def record(
    folder: Path,
    people: int,
    species: tuple[str, ...],
    light: tuple[str, ...],
    seconds: float,
    passphrase_file: Path | None,
    settings: Settings,
) -> Answer:
    """Guide an installer through a set: each person alive and attacked by each species, under each light.

    Everybody is asked for their consent before the first frame, and is a number from then on. A set that was begun goes
    on with the next person. Frames are encrypted as they come; nothing is compared here.
    """
    import os

    from edge.camera import open_stream
    from edge.errors import CameraError
    from edge.testing.attack_set import SPECIES, AttackSet
    from edge.types.gates import BONA_FIDE, ENROL

    wanted = species or tuple(name for name in SPECIES if name not in (ENROL, BONA_FIDE))
    for name in wanted:
        if not name.replace("_", "").isalnum() or not name.isascii():
            raise click.UsageError(f"--species {name!r}: take letters, digits and _")
    here = AttackSet.make(
        folder, passphrase(passphrase_file, "Passphrase of the set", confirm=True), random_bytes=os.urandom
    )
    first = 1 + max((int(name.split("--")[1]) for name in here.names()), default=0)
    kept = 0
    for person in range(first, first + people):
        click.echo(f"\nPerson {person} of {first + people - 1}. {CONSENT}")
        if not click.confirm("Do you agree?"):
            click.echo("Nothing is recorded of this person.")
            continue
        todo = [(ENROL, ""), *((name, shown) for shown in light for name in (BONA_FIDE, *wanted))]
        for number, (name, shown) in enumerate(todo, 1):
            told = SPECIES.get(name, f"hold up the attack {name}")
            under = f", light: {shown}" if shown else ""
            click.prompt(
                f"[{number}/{len(todo)}] {name}{under}: {told}, then press Enter", default="", show_default=False
            )
            frames = []
            with open_stream(settings.camera) as stream:
                until, after = stream.now_ns() + int(seconds * 1e9), stream.now_ns()
                while after < until:
                    frames.append(stream.next(after, settings.camera.timeout_s))
                    after = frames[-1].monotonic_ns
            if not frames:
                raise CameraError("no frame came", where="camera", remedy="run `edge selftest`")
            click.echo(f"  {here.keep(name, str(person), frames)}: {len(frames)} frames")
            kept += 1
    return Answer({}, f"{kept} sessions are in {folder}; next: edge attack report {folder} --out report")


@command.command("report")
@click.argument("folder", type=PATH, metavar="SET")
@click.option("--out", type=PATH, required=True, help="Folder for attack.html and attack.json.")
@click.option("--keep", is_flag=True, help="Do not delete the set afterwards.")
@click.option("--claim", type=click.FloatRange(0.0001, 0.5), help="Show that every species' APCER is below this.")
@click.option("--overwrite", is_flag=True, help="Replace an earlier report in that folder.")
@PASSPHRASE
@shared(settings="", json=True)
def report(
    folder: Path, out: Path, keep: bool, claim: float | None, overwrite: bool, passphrase_file: Path | None
) -> Answer:
    """Measure a recorded set as `edge lab attack` does, and delete it."""
    import shutil
    import tempfile

    from edge.lab.attack import FILES, AttackPlan, measure_attacks
    from edge.lab.report import check_out
    from edge.testing.attack_set import AttackSet

    if folder.is_symlink() or folder.resolve() in (out.resolve(), *out.resolve().parents):
        raise click.UsageError("the set is deleted with its report: name its own folder, and another one for --out")
    check_out(out, FILES, overwrite=overwrite)
    here = AttackSet.open(folder, passphrase(passphrase_file, "Passphrase of the set", confirm=False))
    with tempfile.TemporaryDirectory(prefix="edge-attack-", dir=_MEMORY if _MEMORY.is_dir() else None) as place:
        here.unpack(Path(place))
        made: dict[str, Any] = measure_attacks(AttackPlan(Path(place), out, claim=claim))
    if not keep:
        shutil.rmtree(folder)
    lines = [
        f"{row['name']:<20} APCER {row['apcer']['people']} of {row['people']} people, "
        f"at most {row['apcer']['upper']:.1%}"
        for row in made["species"]
    ]
    ended = f"{folder} stays, by your wish: delete it when it has served" if keep else f"{folder} is deleted"
    return Answer(made, [*lines, f"{out / 'attack.html'} is written; {ended}."])
