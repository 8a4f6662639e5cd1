"""Offline accuracy work on picture files, by the chain of a door. In lab builds and development installs only.

    report = measure(Plan(images=Path("lfw"), all_pairs=True, out=Path("report")), Silent())

measuring  look at a labelled set with one or more models, count all pairs in blocks, write figures, plots and a page
adapters   peers in other runtimes, under the same rules
two        the score of two pictures (`edge compare`)
calibrate  from impostor scores to the thresholds of a card

Sets come with names. Nothing here ranks a picture against many, and no embedding is written anywhere.
"""

from edge.lab.measuring import Plan
from edge.lab.report import Report
from edge.lab.run import measure

__all__ = ["Plan", "Report", "measure"]
