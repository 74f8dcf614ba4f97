"""The scenarios, a module for each kind of service; `load` registers them all."""

import importlib
import pkgutil


def load() -> None:
    """Import every module of this folder; each registers its scenarios."""
    for module in pkgutil.iter_modules(__path__):
        if not module.name.startswith("_"):
            importlib.import_module(f"{__name__}.{module.name}")
