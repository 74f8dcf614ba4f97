#!/usr/bin/env python3
"""Writes the C of the kernels that have changed, a processor each: `generate_c.py`, at the top of the tree.

setuptools would do the same, but one after the other, or with `parallel` in threads, which Cython does not
bear.  What it finds up to date it leaves, and only compiles.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension


def main() -> None:
    tool = tomllib.loads(Path("pyproject.toml").read_text())["tool"]
    kernels = [Extension(**_keywords(module)) for module in tool["setuptools"]["ext-modules"]]
    shared = tool["distutils"]["build_ext"]["shared-utility-qualified-name"]
    cythonize(kernels, nthreads=os.cpu_count() or 1, quiet=True, shared_utility_qualified_name=shared)


def _keywords(module: dict[str, object]) -> dict[str, object]:
    return {name.replace("-", "_"): value for name, value in module.items()}


if __name__ == "__main__":
    main()
