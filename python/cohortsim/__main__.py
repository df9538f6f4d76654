"""`python -m cohortsim` is the command line."""

from cohortsim.cli import main

main(prog_name="cohortsim")
