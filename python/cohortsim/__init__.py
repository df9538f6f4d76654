"""cohortsim: bone remodelling, bone density, falls and fractures in simulated populations.

import cohortsim as cs
study = cs.load("us_adults_50plus")
results = cs.run(study, people=200_000, seed=1)
results.incidence(by=["arm", "sex", "age_band", "site"])
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cohortsim.errors import (
        CatalogError as CatalogError,
    )
    from cohortsim.errors import (
        CohortsimError as CohortsimError,
    )
    from cohortsim.errors import (
        InternalError as InternalError,
    )
    from cohortsim.errors import (
        Interrupted as Interrupted,
    )
    from cohortsim.errors import (
        NumericalError as NumericalError,
    )
    from cohortsim.errors import (
        ParameterError as ParameterError,
    )
    from cohortsim.errors import (
        ResultsError as ResultsError,
    )
    from cohortsim.errors import (
        ScenarioError as ScenarioError,
    )
    from cohortsim.fields import Ages as Ages
    from cohortsim.groups import (
        Groups as Groups,
    )
    from cohortsim.groups import (
        bands as bands,
    )
    from cohortsim.groups import (
        quantiles as quantiles,
    )
    from cohortsim.persons_file import PersonsFile as PersonsFile
    from cohortsim.reading import load as load
    from cohortsim.recruitment import (
        DeformityRule as DeformityRule,
    )
    from cohortsim.recruitment import (
        EntryRules as EntryRules,
    )
    from cohortsim.recruitment import (
        TScoreRule as TScoreRule,
    )
    from cohortsim.recruitment import (
        YearsSinceMenopause as YearsSinceMenopause,
    )
    from cohortsim.results import Results as Results
    from cohortsim.results import open as open
    from cohortsim.running import run as run
    from cohortsim.scenario import (
        Arm as Arm,
    )
    from cohortsim.scenario import (
        Cohort as Cohort,
    )
    from cohortsim.scenario import (
        Override as Override,
    )
    from cohortsim.scenario import (
        Record as Record,
    )
    from cohortsim.scenario import (
        Scenario as Scenario,
    )
    from cohortsim.treatments import (
        Dose as Dose,
    )
    from cohortsim.treatments import (
        MedianPersistence as MedianPersistence,
    )
    from cohortsim.treatments import (
        NextCourse as NextCourse,
    )
    from cohortsim.treatments import (
        StopRule as StopRule,
    )
    from cohortsim.treatments import (
        Treatment as Treatment,
    )
    from cohortsim.treatments import (
        Who as Who,
    )
    from cohortsim.validation import Validation as Validation
    from cohortsim.validation import validate as validate

    __version__: str

_HOMES = {
    "reading": ("load",),
    "running": ("run",),
    "results": ("Results", "open"),
    "recruitment": ("EntryRules", "TScoreRule", "DeformityRule", "YearsSinceMenopause"),
    "scenario": (
        "Scenario",
        "Cohort",
        "Arm",
        "Override",
        "Record",
    ),
    "treatments": ("Treatment", "NextCourse", "Dose", "StopRule", "Who", "MedianPersistence"),
    "fields": ("Ages",),
    "persons_file": ("PersonsFile",),
    "groups": ("quantiles", "bands", "Groups"),
    "validation": ("validate", "Validation"),
    "errors": (
        "CohortsimError",
        "ScenarioError",
        "CatalogError",
        "ParameterError",
        "NumericalError",
        "ResultsError",
        "InternalError",
        "Interrupted",
    ),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}
__all__ = ["__version__", *_HOME_OF]


def __getattr__(name: str) -> Any:
    """Import what is asked for when it is first asked for; `import cohortsim` costs nothing."""
    if name == "__version__":
        from importlib.metadata import PackageNotFoundError, version

        try:
            return version("cohortsim")
        except PackageNotFoundError:
            return "0+unknown"
    if name not in _HOME_OF:
        raise AttributeError(f"module 'cohortsim' has no attribute {name!r}")
    value = getattr(import_module(f"cohortsim.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
