"""What a build of this product may do, decided when it is built and readable when it runs.

    from edge.policy import current

    build = current()
    build.profile          # "device", "lab" or "development"; nothing at run time can loosen it
    build.is_device        # True: no way from a picture to a score without a signed claim

`capabilities` says in plain words what a build can and cannot do, `contents` which files a profile holds, `buildfile`
reads ``config/build.yaml``, `hook` runs inside ``pip wheel`` and refuses what must not be built. At build time this
room needs nothing but PyYAML.
"""

from edge.policy.build import BuildInfo, current
from edge.policy.capabilities import CAPABILITIES, Capability

__all__ = ["CAPABILITIES", "BuildInfo", "Capability", "current"]
