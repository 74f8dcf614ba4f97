"""Targets: what there is to learn from labelled flows, and which flows speak for and against it.

A label is a class, `ssh`, or several facets, `class=ssh,outcome=auth-failed,attempts=2`; the words are
those of a signature's metadata.  What is learned is each class, and of each class each value of its
other facets.  A flow speaks for a target if its label says all of it, against it if its label says
something else for one of the target's facets, or is one of facets and leaves that out, since such a label
says all there is; and neither if its label is a mere class.  `attempts` counts and is not learned.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fl0p_py.errors import UsageError
from fl0p_py.learn.corpus import Corpus
from fl0p_py.signature import metadata
from fl0p_py.signature.pattern import FACETS, Facets

ATTEMPTS = "attempts"
LEARNED = FACETS
KEYS = (*FACETS, ATTEMPTS)

BACKGROUND = "(background)"
"""The label of flows of which one knows only that they are none of the classes: they speak against all."""

Meaning = dict[str, str]
"""Values by facet."""

Array = NDArray[Any]


class Target(NamedTuple):
    """facets : pairs (facet, value), the class first."""

    facets: tuple[tuple[str, str], ...]

    @property
    def id(self) -> str:
        """`ssh`, `ssh.auth-failed`: the stem of its signatures' ids."""
        return ".".join(value for _, value in self.facets)

    @property
    def text(self) -> str:
        return ",".join(f"{name}={value}" for name, value in self.facets)

    @property
    def title(self) -> str:
        """`ssh, auth-failed`: how its signatures are named."""
        return ", ".join(value for _, value in self.facets)

    @property
    def said(self) -> Facets:
        """What its signatures speak for: of a class with dots, `ssh.failed`, the part before the first."""
        values = dict(self.facets)
        if "class" in values:
            values["class"] = values["class"].partition(".")[0]
        return metadata.facets(values)

    @property
    def exact(self) -> bool:
        """Whether its signatures are written with `=`."""
        return any(name == "outcome" for name, _ in self.facets)

    def agrees(self, meaning: Meaning) -> bool | None:
        """Whether flows of this meaning speak for the target, against it (False), or neither (None)."""
        values = [(meaning.get(name), wanted) for name, wanted in self.facets]
        if any(value is not None and value != wanted for value, wanted in values):
            return False
        return True if all(value is not None for value, _ in values) else None


def meaning(label: str) -> Meaning:
    """The facets that a label speaks for; raises UsageError if it has no clean form."""
    if "=" not in label:
        return {"class": metadata.slug(label)}
    found: Meaning = {}
    for part in label.split(","):
        name, equals, value = (word.strip() for word in part.partition("="))
        if not equals or name not in KEYS:
            raise UsageError(
                f"label '{_shown(label)}': '{_shown(name)}' is no facet{metadata.meant(name, KEYS)}"
            )
        if name in found:
            raise UsageError(f"label '{_shown(label)}': {name} stands twice")
        found[name] = _checked(label, name, value)
    return found


def targets(labels: Iterable[str]) -> list[Target]:
    """All that the labels let one learn, sorted."""
    found: set[Target] = set()
    for label in labels:
        said = meaning(label)
        base = (("class", said["class"]),) if "class" in said else ()
        if base:
            found.add(Target(base))
        found |= {Target((*base, (name, said[name]))) for name in LEARNED[1:] if name in said}
    return sorted(found)


def sides(corpus: Corpus, target: Target) -> Array:
    """int8[n]: 1 for flows that speak for the target, -1 against it, 0 neither."""
    by_label = np.array([*(_verdict(target, label) for label in corpus.labels), 0], np.int8)
    found: Array = by_label[corpus.label]  # NO_LABEL is the last
    return found


def _verdict(target: Target, label: str) -> int:
    agrees = False if label == BACKGROUND else target.agrees(meaning(label))
    if agrees is None:
        return -1 if "=" in label else 0  # a label of facets says all there is
    return 1 if agrees else -1


def label_text(said: Meaning) -> str:
    """The clean form of a label: facets in the order of FACETS."""
    if list(said) == ["class"]:
        return said["class"]
    return ",".join(f"{name}={said[name]}" for name in KEYS if name in said)


def _checked(label: str, name: str, value: str) -> str:
    if name == ATTEMPTS:
        if not re.fullmatch("[0-9]{1,6}", value):
            raise UsageError(f"label '{_shown(label)}': found attempts '{_shown(value)}', expected a number")
        return str(int(value))
    try:
        return metadata.FACET_CHECKS[name](value)
    except ValueError as error:
        raise UsageError(
            f"label '{_shown(label)}': found {name} '{_shown(value)}', expected {error}"
        ) from None


def _shown(text: str) -> str:
    """Label files come from anywhere."""
    return "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in text)[:80]
