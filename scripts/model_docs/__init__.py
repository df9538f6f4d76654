"""Pages of the documentation, one for each system of the model.

headers (equations from the Rust files) + tables (numbers from the data files) -> pages; figures are
drawn from simulations.
"""
