"""The release of the studio."""

__version__ = "0.1.0"
