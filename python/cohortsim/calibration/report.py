"""What a fit says of itself: every target with its residual, and what the data do not identify."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from cohortsim.calibration.evidence import MARKERS, MEASURES, Target
from cohortsim.calibration.fit import Fit

WORST = 5


def text(fit: Fit) -> str:
    """Return the whole report."""
    parts = [_targets(fit), _errors(fit), _values(fit), _directions(fit)]
    return "\n\n".join("\n".join(part) for part in parts)


def _targets(fit: Fit) -> Iterator[str]:
    yield "Published and simulated (change in %, or percentage points); * only compared, m recalled"
    head = f"  {'target':<26} {'arm':<40} {'measure':<13} {'month':>5}"
    yield f"{head} {'publ.':>7} {'sim.':>7} {'diff':>6}"
    for target, simulated in zip(fit.courses.targets, fit.simulated, strict=True):
        marks = ("" if target.fitted else "*") + ("m" if target.provenance == "memory" else "")
        yield (
            f"  {target.id[:26]:<26} {target.arm[:40]:<40} {target.measure:<13} {target.month:>5} "
            f"{target.value:>7.2f} {simulated:>7.2f} {simulated - target.value:>6.2f} {marks}"
        ).rstrip()


def _errors(fit: Fit) -> Iterator[str]:
    yield "Root mean square error (changes only; life course and yearly rates apart)"
    kinds: dict[str, Callable[[Target], bool]] = {
        "changes": lambda t: not t.is_yearly and not t.is_against_peak,
        "life course": lambda t: t.is_against_peak,
        "yearly": lambda t: t.is_yearly,
    }
    for kind, belongs in kinds.items():
        for measure in MEASURES:
            missed = np.array(
                [
                    simulated - target.value
                    for target, simulated in zip(fit.courses.targets, fit.simulated, strict=True)
                    if target.measure == measure and target.fitted and belongs(target)
                ]
            )
            if len(missed):
                rms, most = np.sqrt(np.mean(missed**2)), np.abs(missed).max()
                unit = "points" if measure in MARKERS else "pp"
                count = f"{kind:<12} {measure:<14} {len(missed):>3}"
                yield f"  {count} {rms:6.2f} {unit}, at most {most:.2f}"
    yield f"Worst {WORST} of density:"
    density = [
        (abs(simulated - target.value), target, simulated)
        for target, simulated in zip(fit.courses.targets, fit.simulated, strict=True)
        if target.fitted and target.measure not in MARKERS
    ]
    for _, target, simulated in sorted(density, key=_by_size, reverse=True)[:WORST]:
        yield f"  {target.id}: published {target.value:g}, simulated {simulated:.2f}"


def _by_size(item: tuple[float, Target, float]) -> float:
    return item[0]


def _values(fit: Fit) -> Iterator[str]:
    yield "Fitted values: local SD, and the share of precision that comes from the data"
    for name, quantity, value, spread, share in fit.known():
        span = quantity.high - quantity.low
        edge = min(value - quantity.low, quantity.high - value) < 0.02 * span
        yield (
            f"  {name:<48} {value:>10.5g} +- {spread:<9.2g} {100 * share:>3.0f} %  "
            f"({quantity.low:g} to {quantity.high:g}){' at its bound' if edge else ''}"
        )


def _directions(fit: Fit) -> Iterator[str]:
    found = fit.unidentified()
    yield (
        f"Directions that the data do not identify: {len(found)} of {len(fit.free.names)} "
        "(information from data / from the pull to the middle; what weighs most)"
    )
    for ratio, named in found:
        parts = ", ".join(f"{weight:+.2f} {name}" for name, weight in named)
        yield f"  {ratio:6.3f}  {parts}"
