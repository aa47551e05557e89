"""The entry that older tools look for. Everything stands in pyproject.toml."""

from setuptools import setup

setup()
