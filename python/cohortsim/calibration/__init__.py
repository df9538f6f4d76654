"""Calibration: the free parameters of the balance, refitted to published density and turnover.

The same compiled balance that runs populations follows one typical person, or the mean of a few, of each
trial arm; `scipy.optimize.least_squares` does the rest. What is free is what the data files mark
`calibrated`; what is fitted to are the rows of `data/evidence/targets.csv` with `use=calibrate`. No
fracture result is among them.
"""

from __future__ import annotations

from cohortsim.calibration.fit import Fit, calibrate

__all__ = ["Fit", "calibrate"]
