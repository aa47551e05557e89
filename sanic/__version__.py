__version__ = "26.12.0"
