"""Measures of a made-up run against plain loops over its people."""
