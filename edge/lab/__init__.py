"""Offline accuracy work on picture files, by the chain of a door. In lab builds and development installs only.

    report = measure(EvaluationPlan(images=Path("lfw"), all_pairs=True, out=Path("report")), Silent())

run        look at a labelled set with one or more models, count all pairs in blocks, write figures, plots and a page
adapters   peers in other runtimes, under the same rules
extract    pictures to vectors, and the score of two pictures (`edge compare`)
calibrate  from impostor scores to the thresholds of a card

Sets come with names. Nothing here ranks a picture against many, and no embedding is written anywhere.
"""

from edge.lab.measuring import EvaluationPlan
from edge.lab.report import EvaluationReport
from edge.lab.run import measure

__all__ = ["EvaluationPlan", "EvaluationReport", "measure"]
