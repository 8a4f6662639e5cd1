"""Lets an unmodified picamera2 work with libcamera's virtual camera: put this file's folder on PYTHONPATH.

Two things of libcamera 0.4's virtual pipeline do not fit picamera2 0.3.38, and are bridged in libcamera's bindings: it
answers None to StreamRole.Raw, which picamera2 asks for whenever it opens a camera; and it writes NV12 into two planes,
where picamera2's allocator gives buffers of one.
"""

import builtins
import sys

_import = builtins.__import__


def _patched(name, *rest, **more):
    module = _import(name, *rest, **more)
    camera = getattr(sys.modules.get("libcamera"), "Camera", None)
    if name.split(".")[0] == "libcamera" and camera is not None:
        builtins.__import__ = _import
        _bridge(sys.modules["libcamera"])
    return module


def _bridge(library):
    original, roles, buffer = library.Camera.generate_configuration, library.StreamRole, library.FrameBuffer

    def generate_configuration(self, wanted):
        return original(self, [roles.VideoRecording if role == roles.Raw else role for role in wanted])

    class FrameBuffer:
        Plane = buffer.Plane

        def __new__(cls, planes):
            if len(planes) == 1:  # NV12: luma two thirds, chroma one third of the same memory
                second = buffer.Plane()
                second.fd, luma = planes[0].fd, planes[0].length // 3 * 2
                second.offset, second.length = luma, planes[0].length - luma
                planes[0].length = luma
                planes = [planes[0], second]
            return buffer(planes)

    library.FrameBuffer, library.Camera.generate_configuration = FrameBuffer, generate_configuration


builtins.__import__ = _patched
