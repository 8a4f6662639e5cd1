"""Is this device fit to decide? What a check, a level and a report are; each room brings its own checks.

report = run(checks, Level.POWER_ON, tell=print)
report.fit          # False: the device serves nothing but its own diagnosis

The manner is that of FIPS 140-3 (ISO/IEC 19790, 7.10): checks at power-on, periodic ones, and the full set on request;
a device that fails one is in an error state. `edge.service.fitness` lists the checks of a device.
"""

from edge.selftest.report import Check, FitnessReport, Level, Result, run

__all__ = ["Check", "FitnessReport", "Level", "Result", "run"]
