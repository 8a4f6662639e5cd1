"""What `edge models convert` does: pictures into crops, an ONNX file into a .tflite, and what is said of it."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

import click
import yaml

from edge.errors import InputError
from edge.face import Chain
from edge.face.align import Aligner
from edge.face.card import Align
from edge.files import check_writable, refusal, write_atomic
from edge.lab.pictures import gather
from edge.models.converting import Comparison, compare, convert
from edge.types import U8, Frame

if TYPE_CHECKING:
    from edge.models.spec import ModelSpec
    from edge.settings import Settings

#: Of every so many people one is kept back for the comparison.
KEPT_BACK = 3
#: Pictures that are used at most, of each part: ranges settle long before, and every one is run several times.
MOST = 600


def converted(file: Path, spec: ModelSpec, images: Sequence[Path], out: Path, settings: Settings) -> Iterator[str]:
    """Convert and compare; the lines that are printed. Raises InputError, ModelError."""
    if spec.kind != "embedder":
        raise InputError("only embedders are converted", where="kind", remedy="bring a detector as .tflite: import")
    made_file, spec_file = out / f"{spec.name}.tflite", out / f"{spec.name}.spec.yaml"
    whole_file = out / f"{spec.name}-float32.tflite"
    for path in (made_file, spec_file, whole_file):
        if path.exists():
            raise InputError("it is there already", where=str(path), remedy="name another --out")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise refusal(InputError, error, out, "this folder cannot be made") from None
    check_writable(made_file)
    used, kept, owners = _crops(spec, images, settings)
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):  # the converters tell of themselves at length
        made = convert(file, spec, used)
    check = compare(file, made, spec, kept, owners)
    told = made.spec(spec)
    try:
        write_atomic(made_file, made.data, new=True)
        if slower(check):
            write_atomic(whole_file, made.whole, new=True)
        said = told.model_dump(mode="json", by_alias=True, exclude_none=True)
        write_atomic(spec_file, yaml.safe_dump(said, sort_keys=False, allow_unicode=True).encode(), new=True)
    except OSError as error:
        raise InputError(
            f"it cannot be written: {error.strerror}", where=str(out), remedy="name another --out"
        ) from None
    yield f"{made_file}: {len(made.data) / 1e3:.0f} kB int8, calibrated with {len(used)} pictures"
    yield from said_of(check)
    if slower(check):
        yield f"{whole_file}: the same in float32, which is faster here; it is imported with the same spec"
    yield f"next: edge models import {whole_file if slower(check) else made_file} --spec {spec_file}"


def _crops(spec: ModelSpec, images: Sequence[Path], settings: Settings) -> tuple[list[U8], list[U8], list[str]]:
    """Crops to calibrate with, crops to compare on, and whose the latter are. Raises InputError."""
    chain = Chain.load(settings.face)
    aligner = Aligner(Align.model_validate(spec.base_card()["align"]))
    used, kept, owners, missed = list[U8](), list[U8](), list[str](), 0
    for number, (person, pictures) in enumerate(gather(images).people.items()):
        back = number % KEPT_BACK == 0
        for picture in pictures:
            if len(kept if back else used) >= MOST:
                break
            look = chain.look(Frame(picture.load(), 0, 0, "lab"), pick="central", gate=False)
            if look.face is None:
                missed += 1
            elif back:
                kept.append(aligner(picture.load(), look.face.landmarks))
                owners.append(person)
            else:
                used.append(aligner(picture.load(), look.face.landmarks))
    if missed:
        click.echo(f"{missed} pictures show no face and are left out", err=True)
    if not kept:
        raise InputError(
            "no picture to compare on shows a face", where="--images", remedy="give pictures of more people"
        )
    return used, kept, owners


def slower(check: Comparison) -> bool:
    """Whether int8 takes longer than float32, as it may where much runs outside of XNNPACK."""
    return check.ms["int8"] > check.ms["float32"]


def said_of(check: Comparison) -> Iterator[str]:
    """The comparison, in words."""
    yield (
        f"on {check.crops} pictures of people it was not calibrated with: cosine to the original "
        f"{check.cosine:.4f} (median), {check.lowest:.4f} (lowest)"
    )
    if any(math.isnan(value) for value in check.fnmr.values()):
        pairs = f"{check.genuine} genuine, {check.impostor} impostor"
        yield f"FNMR: too few pairs ({pairs}); give more people, several pictures each"
    else:
        of = f"{check.genuine} genuine pairs, at FMR 1e-2 over {check.impostor} impostor pairs"
        yield f"FNMR: {100 * check.fnmr['int8']:.1f} %, the original {100 * check.fnmr['original']:.1f} % ({of})"
    ms = check.ms
    whole, original = f"float32 {ms['float32']:.2f} ms", f"the original {ms['original']:.2f} ms"
    yield f"a run: {ms['int8']:.2f} ms, {whole}, {original} (processor time)"
    if not check.outside:
        yield "all of it runs in XNNPACK"
        return
    names = ", ".join(f"{name} {number} x" for name, number in sorted(check.outside.items()))
    total, share = sum(check.outside.values()), ms["int8"] / max(1e-9, ms["float32"])
    yield (
        f"{total} operators run outside of XNNPACK: {names}. Each hands its numbers over and back: "
        f"int8 takes {share:.2f} x the time of float32, where about 0.4 x is usual"
    )
