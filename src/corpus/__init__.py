"""Builds training corpora for alignment from a constitution and story seeds."""

__version__ = "0.1.0"
