"""The command line. Nothing heavy is imported before a command needs it."""

from __future__ import annotations

import functools
import json
import os
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import rich_click as click

if TYPE_CHECKING:
    from cohortsim.request import Request
    from cohortsim.scenario import Scenario

FOLDER = click.Path(path_type=Path, readable=False)  # what is wrong with it is told when it is used
MAIN_JOB = "us_adults_50plus"
SETTINGS_HELP = "Change one value of the study, for example cohorts[0].ages.from=60."


def told(command: Callable[..., None]) -> Callable[..., None]:
    """Turn what goes wrong into a message and an exit code: 1 failure, 2 usage, 130 interrupted."""

    @functools.wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> None:
        from cohortsim.errors import CohortsimError

        try:
            command(*args, **kwargs)
        except CohortsimError as error:
            _leave(error.exit_code, *[str(problem) for problem in error.problems])
        except KeyboardInterrupt as stop:
            _leave(130, str(stop) or "interrupted")
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise SystemExit(1) from None
        except (click.ClickException, SystemExit):
            raise
        except Exception as error:
            if os.environ.get("COHORTSIM_TRACEBACK"):
                raise
            _leave(
                1,
                f"cohortsim: {type(error).__name__}: {error}; this should not happen; "
                "set COHORTSIM_TRACEBACK=1 to see where, and report it",
            )

    return wrapped


def _leave(code: int, *lines: str) -> NoReturn:
    for line in lines:
        click.echo(line, err=True)
    if len(lines) > 1:
        click.echo(f"{len(lines)} mistakes", err=True)
    raise SystemExit(code)


def _version(context: click.Context, option: Any, wanted: bool) -> None:
    if wanted:
        import cohortsim

        click.echo(f"cohortsim {cohortsim.__version__}")
        context.exit()


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_version,
    help="Show the version and leave.",
)
def main() -> None:
    """Simulate bone remodelling, density, falls and fractures in populations."""


@main.command()
@click.argument("scenario", default=MAIN_JOB)
@click.option("--people", metavar="N", help="People in each arm.")
@click.option("--years", metavar="Y", help="Years of follow-up.")
@click.option("--seed", metavar="S", help="Seed of all chance.")
@click.option("--threads", metavar="T", type=click.IntRange(min=1), help="Threads; default: all.")
@click.option("--out", metavar="DIR", type=FOLDER, help="Folder of the results.")
@click.option("--set", "settings", metavar="PATH=VALUE", multiple=True, help=SETTINGS_HELP)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on standard output.")
@click.option("--quiet", is_flag=True, help="Print the folder of the results only.")
@told
def run(
    scenario: str,
    people: str | None,
    years: str | None,
    seed: str | None,
    threads: int | None,
    out: Path | None,
    settings: tuple[str, ...],
    as_json: bool,
    quiet: bool,
) -> None:
    """Simulate SCENARIO: a path, a shipped id, or a former run's provenance.json.

    Without SCENARIO the main job: a million US women and men of 50 and over, ten years, two arms.
    """
    from cohortsim import request as requests
    from cohortsim import running

    named = {"people": people, "years": years, "seed": seed}
    changes = [f"{name}={value}" for name, value in named.items() if value is not None]
    request = requests.build(_study(scenario, [*settings, *changes]))
    folder = out or Path("results") / f"{request.scenario.name}-{request.fingerprint[:8]}"
    if quiet:
        results = running.carry_out(request, folder=folder, threads=threads)
    else:
        from cohortsim.progress import bar

        with bar() as report:
            results = running.carry_out(request, folder=folder, threads=threads, report=report)
    with running.noted_interrupts():
        _show(results, as_json, quiet)


def _show(results: Any, as_json: bool, quiet: bool) -> None:
    from cohortsim import summary, terminal

    if not quiet:
        click.echo(terminal.screen(results), err=as_json)
    elif not as_json:
        click.echo(str(results.folder))
    if as_json:
        used = results.provenance["resources"]
        answer = {
            "results": str(results.folder),
            "people": results.scenario.headcount,
            "person_months": terminal.person_months(results),
            "seconds": used["seconds"],
            "person_months_per_second": used["person_months_per_second"],
            "tables": summary.records(results),
        }
        click.echo(json.dumps(answer, allow_nan=False))


@main.command()
@click.argument("folder", metavar="DIR", type=FOLDER)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on standard output.")
@told
def show(folder: Path, as_json: bool) -> None:
    """Show the results in DIR again."""
    from cohortsim import results

    _show(results.open(folder), as_json, quiet=False)


@main.command()
@click.argument("folder", metavar="DIR", type=FOLDER)
@click.option(
    "--example",
    metavar="NAME",
    default="first_study",
    help="first_study (default), or own_country: a population from one's own life table and rates.",
)
@told
def new(folder: Path, example: str) -> None:
    """Write an example study with comments into DIR."""
    from cohortsim.example import write_example

    for path in write_example(folder, example):
        click.echo(f"wrote {path}")
    click.echo(f"next: cohortsim run {shlex.quote(str(folder / 'study.yaml'))}")


@main.command()
@click.argument("scenario")
@click.option("--set", "settings", metavar="PATH=VALUE", multiple=True, help=SETTINGS_HELP)
@told
def check(scenario: str, settings: tuple[str, ...]) -> None:
    """Tell all mistakes of SCENARIO at once, with line and column."""
    from cohortsim.core import compiled, is_built

    request = _request(scenario, settings)
    if is_built():
        compiled(request)
    for value in request.values:
        if value.get("within_plausible_range") is False:
            click.echo(
                f"note: {value['name']}: {value['value']:g} lies outside its plausible range "
                f"{value['low']:g} to {value['high']:g}",
                err=True,
            )
    click.echo(f"{scenario}: no mistakes; request {request.fingerprint[:8]}")


@main.command()
@click.argument("what", metavar="SCENARIO|ID")
@click.option("--set", "settings", metavar="PATH=VALUE", multiple=True, help=SETTINGS_HELP)
@told
def explain(what: str, settings: tuple[str, ...]) -> None:
    """Say a study in English, or what the catalog says of an id, with sources: a medicine, profile,
    population, fracture site, risk factor or parameter.
    """
    from cohortsim import explain_entry
    from cohortsim.catalog import Catalog
    from cohortsim.explain import Explanation
    from cohortsim.reading import is_study

    told = []
    named = explain_entry.is_id(what) and not settings
    if not named or is_study(what):
        told.append(Explanation(_study(what, settings)).text())
    if named:  # a trial and a profile may share an id: both are told
        catalog = Catalog(Path())
        told.append(explain_entry.explained(what, catalog))
        if not any(told):
            raise explain_entry.unknown(what, catalog)
    click.echo("\n\n".join(text for text in told if text))


@main.command()
@click.argument("scenario")
@click.option("--set", "settings", metavar="PATH=VALUE", multiple=True, help=SETTINGS_HELP)
@click.option("--threads", metavar="T", type=click.IntRange(min=1), help="Threads; default: all.")
@told
def plan(scenario: str, settings: tuple[str, ...], threads: int | None) -> None:
    """Estimate people, months, memory, disk and time."""
    from cohortsim.plan import plan as planned

    click.echo(planned(_request(scenario, settings), threads).text())


@main.command()
@click.argument("scenario")
@click.option(
    "--person", metavar="N", type=int, required=True, help="Number of the person, from 0."
)
@click.option("--arm", metavar="NAME", help="Name of the arm; default: the first.")
@click.option(
    "--every", metavar="M", type=click.IntRange(min=1), default=12, help="Months per row."
)
@click.option("--set", "settings", metavar="PATH=VALUE", multiple=True, help=SETTINGS_HELP)
@click.option("--draws", is_flag=True, help="Show each draw and its threshold, too.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object with every month.")
@told
def trace(
    scenario: str,
    person: int,
    arm: str | None,
    every: int,
    settings: tuple[str, ...],
    draws: bool,
    as_json: bool,
) -> None:
    """Show one life, month by month."""
    from cohortsim import tracing

    life = tracing.trace(_request(scenario, settings), person, arm)
    text = json.dumps(life, allow_nan=False) if as_json else tracing.table(life, every, draws)
    click.echo(text)


@main.command()
@click.option(
    "--starts",
    metavar="N",
    type=click.IntRange(min=0),
    default=3,
    show_default=True,
    help="Random starts, beside the shipped values.",
)
@click.option(
    "--iterations",
    metavar="N",
    type=click.IntRange(min=1),
    default=80,
    show_default=True,
    help="Most evaluations of each descent.",
)
@click.option(
    "--people",
    metavar="N",
    type=click.IntRange(min=1),
    default=16,
    show_default=True,
    help="People of each arm in the later descents.",
)
@click.option("--seed", metavar="S", type=click.IntRange(min=0), default=1, show_default=True)
@click.option(
    "--rounds",
    metavar="N",
    type=click.IntRange(min=0),
    default=3,
    show_default=True,
    help="Rounds with whole trials at the end.",
)
@click.option("--fresh", is_flag=True, help="Do not start from the shipped values, too.")
@click.option("--report", "only_report", is_flag=True, help="Fit nothing: report on what is there.")
@click.option(
    "--write", "writes", is_flag=True, help="Write the fitted values into the data files."
)
@told
def calibrate(
    starts: int,
    iterations: int,
    people: int,
    rounds: int,
    seed: int,
    fresh: bool,
    only_report: bool,
    writes: bool,
) -> None:
    """Refit the free parameters to published bone density and turnover.

    Prints every target with its residual, each value with its local SD, and the directions that the
    data do not identify. Takes some minutes. No fracture result is fitted to.
    """
    from cohortsim.calibration import fit, report, write

    if fresh and not starts:
        raise click.UsageError("--fresh without random starts leaves nothing to start from")
    if only_report:
        found = fit.evaluated(people)
    else:
        found = fit.calibrate(
            starts=starts,
            iterations=iterations,
            people=people,
            rounds=rounds,
            seed=seed,
            from_shipped=not fresh,
            say=lambda line: click.echo(line, err=True),
        )
    click.echo(report.text(found))
    if writes:
        for path in write.write(found):
            click.echo(f"wrote {path.name}", err=True)


@main.command()
@click.option(
    "--layer", "layers", metavar="L", multiple=True, help="Only this layer; may be repeated."
)
@click.option("--people", metavar="N", type=click.IntRange(min=1), help="People in each trial.")
@click.option("--seed", metavar="S", type=click.IntRange(min=0), help="Seed of all chance.")
@click.option("--threads", metavar="T", type=click.IntRange(min=1), help="Threads; default: all.")
@click.option("--out", metavar="DIR", type=FOLDER, help="Folder of tables, figures and a page.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on standard output.")
@click.option("--quiet", is_flag=True, help="Print the summary and the bars only.")
@told
def validate(
    layers: tuple[str, ...],
    people: int | None,
    seed: int | None,
    threads: int | None,
    out: Path | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Simulate the trials of the evidence and compare every published number.

    Layers of density and turnover: life_course, hormones, minerals, loading, medicines, sequences,
    markers, steroids; bmd is every number about bone density. Layers of outcomes: prevalence,
    incidence, risk, trials, spine, mortality.
    """
    from cohortsim import validation

    made = validation.validate(
        layers, people=people, seed=seed, threads=threads, out=out, progress=not quiet
    )
    if not (quiet and as_json):
        click.echo(made.text(rows=not quiet), err=as_json)
    if as_json:
        click.echo(json.dumps(made.plain(), allow_nan=False))


@main.command("list")
@click.argument("kind", required=False)
@told
def list_(kind: str | None) -> None:
    """List what can be asked for by id, here and as shipped.

    KIND: populations, profiles, medicines, sites, risk_factors, scenarios, trials, studies,
    persons_columns or parameters.
    """
    from cohortsim.listing import listing

    click.echo(listing(kind, Path()))


@main.command()
@told
def schema() -> None:
    """Print the JSON Schema of scenario files, for editors."""
    from cohortsim.scenario import Scenario

    made = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Scenario.model_json_schema(),
    }
    click.echo(json.dumps(made, indent=2))


def _study(source: str, settings: tuple[str, ...] | list[str]) -> Scenario:
    from cohortsim.reading import load, with_settings

    return with_settings(load(source), settings)


def _request(source: str, settings: tuple[str, ...]) -> Request:
    from cohortsim import request

    return request.build(_study(source, settings))


if __name__ == "__main__":
    main()
