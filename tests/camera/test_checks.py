"""The self-test knows which camera must be there: one in its place that is just as good is another one."""

from __future__ import annotations

import pytest

from edge.camera.checks import Watched, identity
from edge.camera.granted import Granted
from edge.errors import CameraError
from edge.settings.model import CameraSettings
from tests.camera.pictures import frame, noise_picture


def watched(name: str) -> Watched:
    return Watched(frames=[frame(noise_picture(), 1)], granted=Granted(name, "MJPG", (640, 480), 15.0))


USB = "HD Camera (usb-0000:01:00.0-1.2, 1bcf:2c99:SN0042)"
PI = "imx219 (/base/soc/i2c0mux/i2c@1/imx219@10)"


@pytest.mark.parametrize("declared", [USB, "1bcf:2c99:SN0042", "usb-0000:01:00.0-1.2"])
def test_the_camera_that_is_declared_passes_by_its_whole_name_socket_or_serial_number(declared: str):
    assert identity(watched(USB), CameraSettings(identity=declared)) == f"{USB}, as declared"


@pytest.mark.parametrize("other", [PI, USB.replace("SN0042", "SN0043"), USB.replace("-1.2", "-1.3")])
def test_another_one_of_the_same_make_or_in_another_socket_is_refused(other: str):
    with pytest.raises(CameraError, match="is declared") as refused:
        identity(watched(other), CameraSettings(identity=USB))
    assert other in refused.value.what
    assert "camera.identity" in refused.value.remedy


def test_without_a_declaration_any_camera_passes_and_the_name_to_declare_is_told():
    assert identity(watched(PI), CameraSettings()) == f"{PI}; none is declared (camera.identity)"
