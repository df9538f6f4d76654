"""Results that only a named change may change."""
