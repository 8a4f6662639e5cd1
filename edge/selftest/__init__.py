"""Is this device fit to decide? A first set of checks; a later issue completes it.

report = run(checks, tell=print)
report.fit          # False: the device serves nothing but its own diagnosis
"""

from edge.selftest.report import Check, Report, Result, run

__all__ = ["Check", "Report", "Result", "run"]
