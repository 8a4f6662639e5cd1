"""One video node of the kernel, as far as a camera needs it: Video4Linux2 without a library in between.

    with closing(VideoNode("/dev/video0")) as node:
        node.asked().card                                    # "HD Pro Webcam C920"
        node.set_format("MJPG", 640, 480)                    # what the driver made of the wish
        node.start()
        if node.wait(0.25):
            picture = node.take()                            # bytes, copied: the driver has its buffer back

OpenCV's own capture hides what has to be told: why a device does not open, what rate and format were granted, that a
buffer is damaged; and it waits ten seconds and more for a silent camera. Calls and structures follow the kernel's
documentation (userspace-api/media/v4l, linux/videodev2.h) on 64-bit machines. Errors are the kernel's: `OSError`.
"""

from __future__ import annotations

import errno
import fcntl
import mmap
import os
import select
import struct
from contextlib import suppress
from dataclasses import dataclass

_CAPTURE, _MMAP = 1, 1  # V4L2_BUF_TYPE_VIDEO_CAPTURE, V4L2_MEMORY_MMAP
_BUFFERS = 4
_CAPABILITY = struct.Struct("16s32s32sIII12x")
_FORMAT = struct.Struct("I4x8I168x")  # v4l2_format with a v4l2_pix_format, up to `priv`
_REQUEST = struct.Struct("3I8x")
_BUFFER = struct.Struct("5I4xqq16x2IQI12x")
_LISTED = struct.Struct("3I32s4s16x")


def _call(number: int, size: int, way: int) -> int:
    """_IOC of linux/ioctl.h for the letter V; way: 1 writes, 2 reads, 3 both."""
    return way << 30 | size << 16 | ord("V") << 8 | number


_QUERYCAP = _call(0, _CAPABILITY.size, 2)
_ENUM_FMT = _call(2, _LISTED.size, 3)
_S_FMT = _call(5, _FORMAT.size, 3)
_REQBUFS = _call(8, _REQUEST.size, 3)
_QUERYBUF, _QBUF, _DQBUF = (_call(number, _BUFFER.size, 3) for number in (9, 15, 17))
_STREAMON, _STREAMOFF = _call(18, 4, 1), _call(19, 4, 1)
_S_PARM = _call(22, 204, 3)

_DEVICE_CAPS, _PICTURES, _METADATA, _STREAMING = 1 << 31, 1, 0x0080_0000, 0x0400_0000
_DAMAGED, _CLOCK_MASK, _MONOTONIC = 0x40, 0xE000, 0x2000
_ANY_FIELD, _TIME_PER_FRAME = 0, 0x1000


@dataclass(frozen=True, slots=True)
class NodeFacts:
    """Who a node is: driver, name and place of its device; whether it gives pictures, or a camera's metadata."""

    driver: str
    card: str
    bus: str
    pictures: bool
    metadata: bool


@dataclass(frozen=True, slots=True)
class PixelFormat:
    """What a driver made of a wish: four characters, pixels, bytes of a row."""

    fourcc: str
    width: int
    height: int
    stride: int


@dataclass(frozen=True, slots=True)
class Taken:
    """One buffer: its bytes, when it was filled (CLOCK_MONOTONIC; None when of another clock), whether it is whole."""

    data: bytes
    stamp_ns: int | None
    damaged: bool


class VideoNode:
    """An open node. Every method may raise `OSError`.

    Args:
        path: such as ``/dev/video0``.
    """

    def __init__(self, path: str) -> None:
        self._fd = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        self._maps: list[mmap.mmap] = []
        self._streaming = False

    def asked(self) -> NodeFacts:
        """VIDIOC_QUERYCAP. ENOTTY: not a video device at all."""
        driver, card, bus, _, all_, own = _CAPABILITY.unpack(self._ask(_QUERYCAP, bytes(_CAPABILITY.size)))
        flags = own if all_ & _DEVICE_CAPS else all_
        pictures = bool(flags & _PICTURES and flags & _STREAMING)
        return NodeFacts(_text(driver), _text(card), _text(bus), pictures, bool(flags & _METADATA))

    def formats(self) -> list[str]:
        """VIDIOC_ENUM_FMT: the pixel formats that the camera has."""
        found: list[str] = []
        with suppress(OSError):  # EINVAL ends the list
            while len(found) < 64:
                wish = _LISTED.pack(len(found), _CAPTURE, 0, b"", b"")
                found.append(_LISTED.unpack(self._ask(_ENUM_FMT, wish))[4].decode("latin-1"))
        return found

    def set_format(self, fourcc: str, width: int, height: int) -> PixelFormat:
        """VIDIOC_S_FMT: the driver takes the nearest that it has. EBUSY: somebody else is streaming."""
        code = int.from_bytes(fourcc.encode("ascii"), "little")
        wish = _FORMAT.pack(_CAPTURE, width, height, code, _ANY_FIELD, 0, 0, 0, 0)
        _, width, height, code, _, stride, _, _, _ = _FORMAT.unpack(self._ask(_S_FMT, wish))
        return PixelFormat(code.to_bytes(4, "little").decode("latin-1"), width, height, stride)

    def set_rate(self, fps: float) -> float:
        """VIDIOC_S_PARM: the granted frames per second; 0 when the driver does not say."""
        wish = bytearray(204)
        struct.pack_into("5I", wish, 0, _CAPTURE, 0, 0, 1000, round(fps * 1000))
        try:
            _, flags, _, numerator, denominator = struct.unpack_from("5I", self._ask(_S_PARM, bytes(wish)))
        except OSError as error:
            if error.errno in (errno.ENOTTY, errno.EINVAL):  # the driver has no rates
                return 0.0
            raise
        return denominator / numerator if flags & _TIME_PER_FRAME and numerator else 0.0

    def start(self) -> None:
        """Buffers are mapped and handed in, then the stream is switched on. EBUSY: taken; ENOSPC: no USB bandwidth."""
        count = _REQUEST.unpack(self._ask(_REQBUFS, _REQUEST.pack(_BUFFERS, _CAPTURE, _MMAP)))[0]
        for index in range(count):
            asked = _BUFFER.unpack(self._ask(_QUERYBUF, self._buffer(index)))
            offset, length = asked[9], asked[10]
            self._maps.append(mmap.mmap(self._fd, length, mmap.MAP_SHARED, mmap.PROT_READ, offset=offset))
            self._ask(_QBUF, self._buffer(index))
        self._ask(_STREAMON, struct.pack("i", _CAPTURE))
        self._streaming = True

    def wait(self, timeout_s: float) -> bool:
        """Is there a buffer, or an error to be fetched with `take`? Waits at most so long."""
        poll = select.poll()
        poll.register(self._fd, select.POLLIN)
        return bool(poll.poll(max(0, round(timeout_s * 1000))))

    def take(self) -> Taken | None:
        """The next filled buffer, copied and handed back to the driver; None when there is none. ENODEV: unplugged."""
        try:
            filled = _BUFFER.unpack(self._ask(_DQBUF, self._buffer(0)))
        except BlockingIOError:
            return None
        index, _, used, flags, _, seconds, micros = filled[:7]
        stamp = seconds * 1_000_000_000 + micros * 1000 if flags & _CLOCK_MASK == _MONOTONIC else None
        data = self._maps[index][:used]
        self._ask(_QBUF, self._buffer(index))
        return Taken(data, stamp, bool(flags & _DAMAGED) or not used)

    def close(self) -> None:
        """Stop and free the device. Harmless when repeated."""
        fd, self._fd = self._fd, -1
        if fd < 0:
            return
        try:
            if self._streaming:
                with suppress(OSError):  # an unplugged camera cannot be stopped
                    fcntl.ioctl(fd, _STREAMOFF, struct.pack("i", _CAPTURE))
            for each in self._maps:
                each.close()
        finally:
            os.close(fd)

    def _buffer(self, index: int) -> bytes:
        return _BUFFER.pack(index, _CAPTURE, 0, 0, 0, 0, 0, 0, _MMAP, 0, 0)

    def _ask(self, call: int, wish: bytes) -> bytes:
        return fcntl.ioctl(self._fd, call, wish)


def _text(field: bytes) -> str:
    return field.split(b"\0")[0].decode(errors="replace")
