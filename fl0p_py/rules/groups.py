"""Groups: the address and port variables of rules, from the configuration file.

[address-groups]
HOME_NET = "[10.0.0.0/8,fd00::/8]"
EXTERNAL_NET = "!$HOME_NET"
[port-groups]
MAIL = "[25,465,587]"
"""

from __future__ import annotations

from collections.abc import Mapping

from fl0p_py.errors import PatternError, RuleError, RuleFileError
from fl0p_py.rules.address import ADDRESSES
from fl0p_py.rules.loader import Groups
from fl0p_py.rules.port import PORTS
from fl0p_py.rules.term import Space, Term, UndefinedError, parse_term, resolve
from fl0p_py.rules.value import Value


def read_groups(addresses: Mapping[str, str], ports: Mapping[str, str], source: str) -> Groups:
    """source : the configuration file.  Raises RuleFileError."""
    errors: list[RuleError] = []
    groups = Groups(
        _read(addresses, ADDRESSES, f"{ADDRESSES.what}-groups", source, errors),
        _read(ports, PORTS, f"{PORTS.what}-groups", source, errors),
    )
    if errors:
        raise RuleFileError(errors)
    return groups


def _read(
    texts: Mapping[str, str], space: Space, table: str, source: str, errors: list[RuleError]
) -> dict[str, Term]:
    terms: dict[str, Term] = {}
    for name, text in texts.items():
        try:
            terms[name] = parse_term(Value.trimmed(text, 0), space)
        except PatternError as error:
            errors.append(RuleError(source, f"{table}: {name}: column {error.column + 1}", error.message))
    for name, term in terms.items():
        try:
            resolve(term, space, terms)
        except UndefinedError as error:
            if not errors:
                errors.append(RuleError(source, f"{table}: {name}", str(error)))
    return terms
