"""Wheels of this product: what may be built, what they hold, who signed them, and what that means in plain words.

`hook` runs inside ``pip wheel``: it reads ``config/build.yaml`` (`buildfile`), asks the packs (`judge`), lists the
files of the profile (`contents`, `plan`) and refuses with every finding. `wheels` signs, `attest` examines a wheel or
an installation, `explain` says it in words. While building, this room needs nothing but PyYAML.
"""
