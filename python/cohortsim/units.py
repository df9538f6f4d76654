"""Units of time, as the core counts them."""

from __future__ import annotations

MINUTES_PER_MONTH = 43_830
"""Minutes in a month of 365.25 / 12 days: the integer unit of person-time."""

MINUTES_PER_YEAR = 12 * MINUTES_PER_MONTH
"""Minutes in a year of 365.25 days."""

MONTHS_PER_YEAR = 12
"""Steps of the simulation in a year."""
