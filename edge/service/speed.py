"""How fast the chain is on this board, and what published figures say of boards that nobody has sent figures of yet.

    measured = measure(Chain.load(settings.face))       # Measured: milliseconds, medians
    for board in BOARDS: board.decision_ms(macs)         # (least, most) of one look's models

A cost model, not a measurement: multiply-accumulates of our int8 networks, over the rate at which XNNPACK runs
published int8 networks on that board. Its span is that of the published networks (a narrow one with depthwise layers
is slow for its size, a wide one fast), of one look of the detector or two, and of the threads. What is done outside of
the networks (fitting, aligning, quality) comes on top: under a fifth of the whole here.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from edge.errors import Unfit
from edge.face import Chain, Embedder
from edge.face.chain import need_whole
from edge.face.runner import Runner
from edge.fictional import FictionalSource, OnePerson
from edge.selftest import Check
from edge.types.inside import _inside, need_kind

#: Looks that are timed, and those before them that warm the caches.
_TIMED, _WARM = 30, 5
#: A network is timed so often for the self-test, and its fastest time counts: others run on this machine, too.
_TRIES = 5
#: Slower than the slowest board by so much is outside of what the model above leaves open: throttled, held up.
FAR = 3.0
#: Two threads against four: between half and, where memory is the limit, most of the rate.
_TWO_OF_FOUR = (0.5, 0.8)


@dataclass(frozen=True, slots=True)
class Board:
    """A board's published rate.

    Attributes:
        name: of the board. rate: least and most, thousand million int8 multiply-accumulates a second on four threads.
        source: whose figures these are, and how they were carried over.
    """

    name: str
    rate: tuple[float, float]
    source: str

    def models_ms(self, once: int, detector: int) -> tuple[float, float]:
        """Least and most of one look's models on two threads, in milliseconds: one look of the detector, or two.

        Args:
            once: multiply-accumulates of what runs once a look, the embedder and a passive network.
            detector: those of the detector.
        """
        least = (once + detector) / (self.rate[1] * _TWO_OF_FOUR[1]) / 1e6
        most = (once + 2 * detector) / (self.rate[0] * _TWO_OF_FOUR[0]) / 1e6
        return least, most


_XNNPACK = "XNNPACK's README, 8 February 2022, int8, four threads: MobileNet v1 (569 M) and v2 (300 M) in"
BOARDS = (
    Board("Pi Zero 2 W", (7.1, 8.8), "the Pi 3B+'s, by the clocks of the same core (1.0 of 1.4 GHz)"),
    Board("Pi 3B+", (10.0, 12.4), f"{_XNNPACK} 46 and 30 ms (32 bits)"),
    Board("Pi 4", (17.6, 23.7), f"{_XNNPACK} 24 and 17 ms (64 bits)"),
    Board(
        "Pi 5",
        (75.0, 208.0),
        "Arm's pages, ExecuTorch on XNNPACK, int8: MobileNet v2 (300 M) 4.0 ms, ResNet-18 (1,820 M) 8.75 ms",
    ),
)


def checks(chain: Callable[[], Chain]) -> list[Check]:
    """What is checked of the networks' speed. ``chain``: the one that decides here, or raises."""
    return [
        Check(
            "model times",
            "each network runs about as fast as its card's multiply-accumulates let expect",
            lambda: within(chain()),
            limit=f"{FAR:g} times the longest that a {BOARDS[0].name} takes by its card",
            needed=False,
        )
    ]


def within(chain: Chain) -> str:
    """The fastest of some runs of each network. Raises `Unfit`: one is far slower than the slowest board."""
    told, slow = [], ""
    runners = [part.runner for part in (chain.detector, chain.passive) if part is not None and hasattr(part, "runner")]
    if isinstance(chain.embedder, Embedder):  # a door has it in its sessions' processes, and here for this moment only
        runners.append(Runner(chain.embedder.card, chain.settings.threads))
    for runner in runners:
        if macs := int(runner.card.raw.get("macs", 0)):
            took, most = _fastest(runner), FAR * BOARDS[0].models_ms(macs, 0)[1]
            told.append(f"{runner.card.name} {took:.1f} ms (at most {most:.0f})")
            slow = slow or (runner.card.name if took > most else "")
    if slow:
        raise Unfit(
            ", ".join(told),
            where=slow,
            remedy="look what else runs (`top`) and whether the processor is slowed down (the check `throttling`)",
        )
    return ", ".join(told) or "no card says how much there is to compute"


def _fastest(runner: Runner) -> float:
    """Milliseconds inside of the runtime, of a grey picture."""
    need_kind(runner, Runner)
    grey, times = np.full(runner.card.input.shape[1:], 128, np.uint8), []
    for _ in range(_TRIES):
        before = runner.invoke_ns
        with _inside():
            Runner.run(runner, grey)
        times.append((runner.invoke_ns - before) / 1e6)
    return min(times)


@dataclass(frozen=True, slots=True)
class Measured:
    """Medians of this board, milliseconds.

    Attributes:
        detect, align, quality, passive, embedding: of one look; detect holds the detector's network, passive is 0 where
            no passive network judges. look: all of them. models: inside the networks.
    """

    detect: float
    align: float
    quality: float
    passive: float
    embedding: float
    look: float
    models: float


def measure(chain: Chain, *, height: float = 0.5) -> Measured:
    """Time looks at somebody who does not exist, whose face has so large a share of a 640x480 frame's height."""
    need_whole(chain)
    source = FictionalSource((OnePerson("ada", 600.0, walk_up=False, height=height),), seed=1)
    source.open()
    rows: list[tuple[float, ...]] = []
    for number in range(_WARM + _TIMED):
        frame = source.read(1.0)
        inside, began = _spent(chain), time.perf_counter()
        look = chain.look(frame, gate=False)
        seen = time.perf_counter()
        if look.crop is None:
            continue
        if chain.passive is not None:
            chain.judge(frame, look)
        judged = time.perf_counter()
        with _inside():
            chain.embedder.embed(look.crop)
        ended = time.perf_counter()
        parts = (look.timings_ms[name] for name in ("detect", "align", "quality"))
        spent = (*parts, 1e3 * (judged - seen), 1e3 * (ended - judged))
        if number >= _WARM:
            rows.append((*spent, 1e3 * (ended - began), (_spent(chain) - inside) / 1e6))
    source.close()
    return Measured(*np.median(np.array(rows), axis=0).tolist())


def _spent(chain: Chain) -> int:
    """Nanoseconds spent inside the networks so far."""
    parts = (chain.detector, chain.passive, chain.embedder)
    return sum(int(part.runner.invoke_ns) for part in parts if part is not None and hasattr(part, "runner"))
