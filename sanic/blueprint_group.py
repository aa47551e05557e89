"""The place from which groups of blueprints have always been imported."""

from sanic.blueprints import BlueprintGroup

__all__ = ("BlueprintGroup",)
