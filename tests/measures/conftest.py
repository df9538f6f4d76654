"""Random examples are the same at every run."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("cohortsim", deadline=None, derandomize=True)
settings.load_profile("cohortsim")
