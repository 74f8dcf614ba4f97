"""fl0p: names network flows by packet sizes, direction and timing alone.

    read_flows(source, ...)     the flows of a capture, as objects with numpy arrays
    Flow, Identification        what it yields
    EngineOptions               what can be set
    load_signatures(paths)      a SignatureSet from .fp and .toml files
    Fl0pError and below         what can go wrong (fl0p_py.errors)

Names are imported when first used, so that `import fl0p_py` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fl0p_py.errors import CaptureError, Fl0pError, SignatureFileError
    from fl0p_py.library import Flow, Identification, read_flows
    from fl0p_py.settings import EngineOptions
    from fl0p_py.signature.loader import load as load_signatures
    from fl0p_py.signature.pattern import Signature, SignatureSet

__version__ = "0.1.0"

_HOMES = {
    "CaptureError": "fl0p_py.errors",
    "EngineOptions": "fl0p_py.settings",
    "Fl0pError": "fl0p_py.errors",
    "Flow": "fl0p_py.library",
    "Identification": "fl0p_py.library",
    "Signature": "fl0p_py.signature.pattern",
    "SignatureFileError": "fl0p_py.errors",
    "SignatureSet": "fl0p_py.signature.pattern",
    "load_signatures": "fl0p_py.signature.loader",
    "read_flows": "fl0p_py.library",
}

__all__ = [
    "CaptureError",
    "EngineOptions",
    "Fl0pError",
    "Flow",
    "Identification",
    "Signature",
    "SignatureFileError",
    "SignatureSet",
    "load_signatures",
    "read_flows",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'fl0p_py' has no attribute '{name}'")
    return getattr(import_module(_HOMES[name]), "load" if name == "load_signatures" else name)
