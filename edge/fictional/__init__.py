"""People who do not exist, and cameras that see them: for the demo, the known answers and the tests.

    source = FictionalSource((Nobody(1.0), OnePerson("ada", 4.0)), seed=1)

A script of scenes (`scene`) says what happens, a `Painter` draws it: a room (`backdrop`), figures with a head of some
depth (`figure`, `mesh`), a sensor's blur and noise (`sensor`). Everybody here is an average of eight portraits.
"""

from edge.fictional.scene import Nobody, OnePerson, Scene, ShowCode, TwoPeople, one_who_stays
from edge.fictional.source import FictionalSource

__all__ = ["FictionalSource", "Nobody", "OnePerson", "Scene", "ShowCode", "TwoPeople", "one_who_stays"]
