"""The slow, obvious twin of the kernel, and the tests of the kernel against it."""
