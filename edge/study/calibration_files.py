"""Fitted numbers as files: a section of a policy, or a module of the engine."""

import json
import sys
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

WIDTH = 84  # of a text in the module
SHORT = 60  # a text that stands beside its name
PROVENANCE = "provenance"  # the only mapping of texts


def values_of(calibration: "DataclassInstance") -> dict[str, object]:
    """Its numbers by name, in the order in which they are declared."""
    return {part.name: getattr(calibration, part.name) for part in fields(calibration)}


def as_section(section: str, values: Mapping[str, object], why_of: Callable[[str], str]) -> str:
    """As they stand in a policy file, each beside its reason."""
    lines = [f"{section}:"]
    for name, value in values.items():
        lines.append(f"  {name}:")
        if isinstance(value, dict) and value:
            lines.append("    value:")
            lines += [f"      {json.dumps(key)}: {json.dumps(one)}" for key, one in value.items()]
        else:
            lines.append(f"    value: {json.dumps(value)}")
        lines.append(f"    why: {json.dumps(why_of(name))}")
    return "\n".join(lines) + "\n"


def as_module(values: Mapping[str, object], what: str) -> str:
    """As the engine's own defaults, such as fusion/radiation_fitted.py.

    what  of `garita calibrate` has written them
    """
    lines = [
        f'"""Fitted numbers, as written by `garita calibrate {what} --out FILE.py`."""',
        "",
        "from collections.abc import Mapping",
        "",
    ]
    for name, value in values.items():
        if not isinstance(value, dict):
            lines.append(f"{name.upper()} = {value!r}")
            continue
        head = f"{name.upper()}: Mapping[str, {'str' if name == PROVENANCE else 'float'}] ="
        if not value:
            lines.append(f"{head} {{}}")
            continue
        lines.append(f"{head} {{")
        lines += [f"    {json.dumps(key)}: {_literal(one)}," for key, one in value.items()]
        lines.append("}")
    return "\n".join(lines) + "\n"


def deliver(text: str, path: Path | None, say: Callable[[str], None]) -> None:
    """To the file, or on stdout without one."""
    if path is None:
        sys.stdout.write(text)
        return
    path.write_text(text, "utf-8")
    say(f"written to {path}")


def _literal(value: object) -> str:
    """A number, or a text on as many lines as it takes."""
    if not isinstance(value, str):
        return repr(value)
    if len(value) < SHORT:
        return json.dumps(value)
    parts = textwrap.wrap(value, WIDTH, drop_whitespace=False)
    inner = "\n".join(f"        {json.dumps(part)}" for part in parts)
    return f"(\n{inner}\n    )"
