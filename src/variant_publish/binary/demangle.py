"""Names of C++ symbols for people: the qualified name, with `(...)` for the parameters of a function (Itanium C++ ABI).

The types of parameters are left out on purpose: a whole demangler is a large parser of strangers' text, and the name is
what people look for. What is not understood stays as it is.
"""

from __future__ import annotations

import re

_SOURCE_NAME = re.compile(r"([1-9][0-9]{0,3})")
_SUBSTITUTION = re.compile(r"S[0-9A-Z]*_")
_SPECIAL = {"TV": "vtable for ", "TI": "typeinfo for ", "TS": "typeinfo name for ", "TT": "VTT for "}
_STANDARD = {"St": "std", "Sa": "std::allocator", "Ss": "std::string", "So": "std::ostream", "Si": "std::istream"}
_OPERATORS = {
    "nw": " new", "dl": " delete", "pl": "+", "mi": "-", "ml": "*", "dv": "/", "aS": "=", "pL": "+=", "mI": "-=",
    "eq": "==", "ne": "!=", "lt": "<", "gt": ">", "le": "<=", "ge": ">=", "ls": "<<", "rs": ">>", "ix": "[]",
    "cl": "()", "pt": "->", "nt": "!", "co": "~", "an": "&", "or": "|", "eo": "^", "pp": "++", "mm": "--",
}  # fmt: skip
_DEEP = 64


def demangled(symbol: str) -> str:
    """Return the name that a person would write; the symbol itself where it is none of C++, or an unusual one."""
    if not symbol.startswith("_Z"):
        return symbol
    prefix = _SPECIAL.get(symbol[2:4], "")
    try:
        name, place = _encoding(symbol, 4 if prefix else 2)
    except (IndexError, ValueError, RecursionError):
        return symbol
    is_function = not prefix and place < len(symbol)
    return f"{prefix}{name}(...)" if is_function else prefix + name


def _encoding(text: str, place: int) -> tuple[str, int]:
    if text[place] != "N":
        name, place = _component(text, place, "")
        if name == "std":
            own, place = _component(text, place, "")
            name = f"std::{own}"
        return name, _after_arguments(text, place)
    place += 1
    while text[place] in "rVKRO":
        place += 1
    parts: list[str] = []
    while text[place] != "E":
        if text[place] == "I":
            place = _after_arguments(text, place)
            continue
        name, place = _component(text, place, parts[-1] if parts else "")
        parts.append(name)
    return "::".join(parts), place + 1


def _component(text: str, place: int, outer: str) -> tuple[str, int]:
    if match := _SOURCE_NAME.match(text, place):
        end = match.end() + int(match[1])
        if end > len(text):
            raise ValueError
        name = text[match.end() : end]
        place = end
        while text[place : place + 1] == "B":  # ABI tags, such as [cxx11]
            _, place = _component(text, place + 1, "")
        return ("(anonymous namespace)" if name.startswith("_GLOBAL__N") else name), place
    two = text[place : place + 2]
    if two in _STANDARD:
        return _STANDARD[two], place + 2
    if two[:1] in "CD" and two[1:].isdigit() and outer:
        return (outer if two[0] == "C" else f"~{outer}"), place + 2
    if two in _OPERATORS:
        return f"operator{_OPERATORS[two]}", place + 2
    if two[:1] == "L":
        return _component(text, place + 1, outer)
    raise ValueError


def _after_arguments(text: str, place: int) -> int:
    """Return where template arguments end, if any begin here."""
    if text[place : place + 1] != "I":
        return place
    depth = 0
    while True:
        char = text[place]
        if match := _SOURCE_NAME.match(text, place):
            place = match.end() + int(match[1])
            continue
        if match := _SUBSTITUTION.match(text, place):
            place = match.end()
            continue
        if char == "L" and text[place + 1] in "bcahstijlmxyn":
            place = text.index("E", place) + 1
            continue
        if char == "S":
            place += 2
            continue
        depth += (char in "INXJF") - (char == "E")
        place += 1
        if depth == 0:
            return place
        if depth > _DEEP:
            raise ValueError
