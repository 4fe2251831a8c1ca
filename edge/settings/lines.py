"""YAML in, plain data and the line of every key out."""

import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import CollectionEndEvent, CollectionStartEvent
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from edge.errors import ConfigError, Mistake

KeyPath = tuple[str | int, ...]

MAX_BYTES = 1_000_000  # the reference checkpoint's file has 6 kB; more is the wrong file
MAX_NODES = 100_000  # aliases can unfold a short file into billions of nodes
MAX_DEPTH = 32  # a config is five levels deep; an alias inside itself never ends


@dataclass(frozen=True, slots=True)
class Document:
    """A YAML file as plain data, with the place of everything in it."""

    path: Path
    data: object
    """dict, list and scalars; the first of two equal keys counts."""
    lines: dict[KeyPath, int]
    """Line, from 1, of every key and list item."""
    mistakes: list[Mistake] = field(default_factory=list)
    """Keys given twice."""

    def line(self, path: KeyPath) -> int | None:
        """The line of the key, or of the nearest thing around it that has one."""
        for length in range(len(path), -1, -1):
            if path[:length] in self.lines:
                return self.lines[path[:length]]
        return None

    def at(self, path: KeyPath) -> object:
        """The value at that path, None where there is none."""
        value = self.data
        for part in path:
            if isinstance(value, dict):
                value = value.get(part)
            elif isinstance(value, list) and isinstance(part, int) and part < len(value):
                value = value[part]
            else:
                return None
        return value


def read_yaml(path: Path) -> Document:
    """Read a YAML 1.2 file. ConfigError where there is no file or it is no YAML."""
    text = _text(path)
    try:
        root = YAML(typ="safe", pure=True).compose(text)
        lines: dict[KeyPath, int] = {(): 1}
        mistakes: list[Mistake] = []
        for key_path, line, repeated in _walk(root):
            # A merged mapping is walked once for each place that borrows it, told once.
            if repeated and line not in {mistake.line for mistake in mistakes}:
                mistakes.append(_repeated(key_path, line, lines[key_path]))
            else:
                lines.setdefault(key_path, line)
        loader = YAML(typ="safe", pure=True)
        loader.allow_duplicate_keys = True  # told above, each with its line
        data = loader.load(text)
    except MarkedYAMLError as error:
        raise ConfigError(path, [_broken(error)]) from error
    except RecursionError as error:  # ours, or ruamel.yaml's, which calls itself at each level
        raise ConfigError(path, [_too_deep(text)]) from error
    except (YAMLError, ValueError, TypeError) as error:
        # TypeError: a list or mapping as a key, which YAML allows and Python cannot hash.
        raise ConfigError(path, [_whole(" ".join(str(error).split()), "correct it")]) from error
    return Document(path, data, lines, mistakes)


def dotted(path: KeyPath) -> str:
    """`("sensors", 2, "url")` as a person writes it: `sensors[2].url`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def _text(path: Path) -> str:
    try:
        _check_readable(path)
        data = path.read_bytes()
    except OSError as error:
        mend = "give the path of a YAML file, such as configs/demo.yaml"
        raise ConfigError(path, [_whole(error.strerror or str(error), mend)]) from error
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        mistake = Mistake(
            line=line, key="", value="", message="not UTF-8 text", mend="save the file as UTF-8"
        )
        raise ConfigError(path, [mistake]) from error


def _check_readable(path: Path) -> None:
    """ConfigError where reading it would never end or fill the memory; OSError as from `stat`."""
    status = path.stat()
    if stat.S_ISDIR(status.st_mode):
        return  # the system has words for it
    if not stat.S_ISREG(status.st_mode):
        message = "this is a pipe, a socket or a device, no regular file"
        raise ConfigError(path, [_whole(message, "save it as a file, and give that one's path")])
    if status.st_size > MAX_BYTES:
        message = f"{status.st_size} bytes is more than {MAX_BYTES}"
        raise ConfigError(path, [_whole(message, "this is hardly a config; check the path")])


def _walk(root: Node | None) -> Iterator[tuple[KeyPath, int, bool]]:
    """Every key and item as (path, line, whether the key stands there a second time)."""
    left = MAX_NODES
    # Merge keys (`<<`) are walked last: what a mapping says itself comes before what it borrows.
    stack: list[tuple[KeyPath, Node]] = [] if root is None else [((), root)]
    while stack:
        path, node = stack.pop()
        left -= 1
        if len(path) > MAX_DEPTH:
            raise RecursionError
        if left < 0:
            raise ValueError("too many nodes (an alias within itself?)")
        if isinstance(node, SequenceNode):
            for index, item in enumerate(node.value):
                yield (*path, index), item.start_mark.line + 1, False
                stack.append(((*path, index), item))
        elif isinstance(node, MappingNode):
            seen: set[str] = set()
            for key, value in node.value:
                if not isinstance(key, ScalarNode):
                    raise ValueError(f"line {key.start_mark.line + 1}: a key must be a plain word")
                if key.value == "<<":
                    stack.append((path, value))
                    continue
                here = (*path, key.value)
                yield here, key.start_mark.line + 1, key.value in seen
                if key.value not in seen:
                    stack.append((here, value))
                seen.add(key.value)


def _repeated(path: KeyPath, line: int, first: int) -> Mistake:
    return Mistake(
        line=line,
        key=dotted(path),
        value="",
        message=f"the key stands here a second time (first on line {first})",
        mend="remove one of the two",
    )


def _too_deep(text: str) -> Mistake:
    """With the line on which it gets deeper than any configuration."""
    line, depth = None, 0
    # Events come one by one and without recursion, so this ends where it gets too deep.
    for event in YAML(typ="safe", pure=True).parse(text):
        if isinstance(event, CollectionStartEvent):
            depth += 1
        elif isinstance(event, CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            line = event.start_mark.line + 1
            break
    return Mistake(
        line=line,
        key="",
        value="",
        message=f"lists and mappings stand more than {MAX_DEPTH} deep in one another",
        mend="a configuration is five levels deep; check brackets, indentation and aliases (`*`)",
    )


def _broken(error: MarkedYAMLError) -> Mistake:
    mark = error.problem_mark or error.context_mark
    return Mistake(
        line=mark.line + 1 if mark else None,
        key="",
        value="",
        message=f"not YAML: {error.problem or error.context}",
        mend="check indentation (spaces, no tabs), colons and quotes on this line",
    )


def _whole(message: str, mend: str) -> Mistake:
    return Mistake(line=None, key="", value="", message=message, mend=mend)
