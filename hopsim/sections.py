"""Sections of a scan file: every key is checked when it is asked for, and those that nothing asks for are unknown."""

import difflib
import math
from typing import Any

from .errors import Refused

MOST_VALUES = 100_000


def refuse_unknown(what: str, found: set[str], allowed: tuple[str, ...], where: str) -> None:
    """Refuse names that are not allowed, with the nearest that is."""
    for name in sorted(found - set(allowed)):
        near = difflib.get_close_matches(name, allowed, 1)
        hint = f", did you mean {near[0]}?" if near else ";"
        raise Refused(f"{where} has an unknown {what} {name!r}{hint} allowed: {', '.join(allowed)}")


class Section:
    """One table of a scan file; remembers which keys were asked for, so that the others are unknown."""

    def __init__(self, name: str, table: dict[str, Any]) -> None:
        self.name, self.table = name, table
        self._asked = list[str]()

    def end(self) -> None:
        """Refuse keys that nothing asked for."""
        refuse_unknown("key", set(self.table), tuple(dict.fromkeys(self._asked)), f"[{self.name}]")

    def text(self, key: str) -> str:
        value = self._value(key)
        if isinstance(value, str):
            return value
        raise self._refused(key, value, "a text")

    def choice(self, key: str, options: tuple[str, ...], default: str | None = None) -> Any:
        value = self._value(key, default)
        if value in options:
            return value
        raise self._refused(key, value, "one of " + ", ".join(options))

    def values(self, key: str, kind: type) -> list[Any]:
        """One or several of a kind: int, float, bool or str."""
        if kind in (int, float):
            return self.grid(key, kind is int)
        value = self._value(key)
        values = value if isinstance(value, list) and value else [value]
        if all(isinstance(v, kind) for v in values):
            return values
        raise self._refused(key, value, f"{'true or false' if kind is bool else 'a text'}, or a list of them")

    def flag(self, key: str) -> bool:
        value = self._value(key, False)
        if isinstance(value, bool):
            return value
        raise self._refused(key, value, "true or false")

    def whole(self, key: str, least: int, most: float = math.inf) -> int:
        value = self._value(key)
        if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
            return value
        raise self._refused(key, value, f"a whole number >= {least}" + (f" and <= {most:g}" if most < math.inf else ""))

    def number(self, key: str) -> float:
        value = self._value(key)
        if _is_number(value):
            return float(value)
        raise self._refused(key, value, "a finite number")

    def grid(self, key: str, whole: bool) -> list[Any]:
        """A number, a list of numbers, or {start, stop, num}, both ends included."""
        value = self._value(key)
        values = self._spaced(key, value) if isinstance(value, dict) else value if isinstance(value, list) else [value]
        if not values:
            raise self._refused(key, value, "not empty: a number, a list of numbers or {start, stop, num}")
        if not all(_is_number(v) for v in values):
            raise self._refused(key, value, "a finite number, a list of them or {start, stop, num}")
        if not whole:
            return [float(v) for v in values]
        if any(v != round(v) for v in values):
            raise self._refused(key, value, "whole numbers")
        return [round(v) for v in values]

    def _spaced(self, key: str, value: dict[str, Any]) -> list[float]:
        good = set(value) == {"start", "stop", "num"} and all(map(_is_number, value.values()))
        if not good or value["num"] != int(value["num"]) or not 1 <= value["num"] <= MOST_VALUES:
            must = f"{{start = number, stop = number, num = whole number from 1 to {MOST_VALUES}}}"
            raise self._refused(key, value, must)
        start, stop, num = value["start"], value["stop"], int(value["num"])
        return [start + (stop - start) * k / (num - 1) if num > 1 else start for k in range(num)]

    def _value(self, key: str, default: Any = None) -> Any:
        self._asked.append(key)
        if key not in self.table and default is None:
            near = difflib.get_close_matches(key, self.table, 1)
            raise Refused(f"[{self.name}] needs the key {key}" + (f", is {near[0]!r} meant for it?" if near else ""))
        return self.table.get(key, default)

    def _refused(self, key: str, value: Any, must: str) -> Refused:
        return Refused(f"[{self.name}] {key} must be {must}; got {value!r}")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
