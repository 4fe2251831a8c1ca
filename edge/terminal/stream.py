"""The alert stream as a person works from it, in a terminal or as plain lines in a pipe.

`watch` and `demo` share it. A level is a word and a symbol, never a colour alone; colour
only repeats them. In a pipe there are no control codes at all.
"""

import io
import sys
from collections.abc import Iterable
from datetime import datetime, tzinfo
from typing import Protocol, TextIO

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.text import Text

from edge.protocol.contract import AlertMessage
from edge.protocol.messages import utc_ns
from edge.terminal.board import Entry, Link, Notice, Status
from edge.text import clean, reasons, say, strip_exercise, word
from fusion.types import SECOND_NS, Level

REASONS = 3
"""More than three reasons are not read at a glance (facts: fusion 3.2)."""
MAX_FILES = 4  # two portals; what is more is still in the alert
SYMBOLS = {1: "·", 2: "◇", 3: "▲", 4: "■"}
ASCII_SYMBOLS = {1: ".", 2: "*", 3: "!", 4: "#"}
STYLES = {1: "dim", 2: "cyan", 3: "bold yellow", 4: "bold white on red"}
WIDEST_LEVEL = 11
"""`ADVERTENCIA`, so that columns stand still."""
INDENT = 11
"""Width of the time and of what follows it: reasons stand below the level."""
STATUS_EVERY_S = 30.0
"""In a pipe the status is a line like any other; more often it would drown the alerts."""
STATUS_SETTLE_S = 3.0
"""After a status line the next one waits so long: a dozen sensors that start are one change."""


class Screen(Protocol):
    """Where the stream is shown."""

    def show(self, items: Iterable[Entry | Notice]) -> None:
        """Entries and notices, below what is there."""
        ...

    def say(self, text: str) -> None:
        """Something that the command itself has to say."""
        ...

    def status(self, status: Status, now_s: float) -> None:
        """The state of everything, as of now."""
        ...

    def close(self) -> None:
        """Leave the terminal as it was."""
        ...


# --- words -----------------------------------------------------------------------------


class Wording:
    """Turns entries into lines of one language."""

    def __init__(
        self, language: str, *, ascii_only: bool = False, zone: tzinfo | None = None
    ) -> None:
        self.language = language
        self._symbols = ASCII_SYMBOLS if ascii_only else SYMBOLS
        self._zone = zone  # None: the terminal's own

    def head(self, entry: Entry) -> list[tuple[str, str]]:
        """(text, style) pieces of an entry's first line."""
        message = entry.message
        level = word("level", str(message.level), self.language)
        pieces = [
            (self._clock(message.updated), "dim"),
            (f"{self._symbols[message.level]} {level:<{WIDEST_LEVEL}}", STYLES[message.level]),
        ]
        if entry.exercise:
            pieces.append((f"[{word('status', 'Exercise', self.language)}]", "magenta"))
        pieces += [
            (self._place(message), "bold"),
            (self._headline(message), "bold" if message.level >= Level.WARNING else ""),
            (self._sides(entry), "green" if len(entry.sides) > 1 else "yellow"),
        ]
        if note := self._note(entry):
            pieces.append((note, "dim"))
        return pieces

    def reasons(self, entry: Entry) -> list[str]:
        """The strongest reasons with their share; fewer where little is asked of anybody."""
        message = entry.message
        if message.msg_type == "Cancel":
            return []
        told = reasons(message, self.language, REASONS if message.level > Level.LOG else 1)
        return [f"{reason.share * 100:3.0f} % {reason.text}" for reason in told]

    def instruction(self, entry: Entry) -> str | None:
        """What to do, told once per alert."""
        message = entry.message
        if message.level < Level.ADVISORY or message.msg_type != "Alert":
            return None
        info = self._info(message)
        return self._say("do") + clean(info)[:300] if info else None

    def evidence(self, entry: Entry) -> str | None:
        """The files that belong to the alert."""
        message = entry.message
        if not message.evidence or message.msg_type == "Cancel":
            return None
        files = ", ".join(
            f"{clean(each.name)[:40]} ({max(1, each.bytes // 1000)} kB)"
            for each in message.evidence[:MAX_FILES]
        )
        return self._say("evidence") + files + self._say("evidence_how")

    def notice(self, notice: Notice) -> str:
        """A notice in words."""
        return self._say(notice.name, **notice.facts)

    def status(self, status: Status) -> list[tuple[str, str]]:
        """(text, style) pieces of the status line."""
        pieces = self._sensors(status)
        for link in status.links:
            pieces += self._link(link)
        age = status.last_alert_age_s
        last = self._say("nothing_yet" if age is None else "last_alert", age=age_text(age or 0.0))
        pieces.append((last, ""))
        if status.unreadable:
            pieces.append((self._say("unreadable", n=status.unreadable), "yellow"))
        return pieces

    def _say(self, name: str, **facts: object) -> str:
        return say("screen", name, self.language, **facts)

    def _link(self, link: Link) -> list[tuple[str, str]]:
        delivery, connected = link.delivery, link.connected
        facts: dict[str, object] = {"side": link.side}
        if delivery is not None:
            connected = connected and delivery.connected
            facts |= {"n": delivery.outbox_depth}
            if delivery.oldest_age_s is not None and delivery.outbox_depth:
                facts |= {"age": age_text(delivery.oldest_age_s)}
        name, style = ("side_up", "green") if connected else ("side_down", "bold red")
        pieces = [(self._say(name, **facts), style)]
        if delivery is not None and delivery.dead_letters:
            pieces.append((self._say("dead_letters", n=delivery.dead_letters), "bold red"))
        return pieces

    def _sensors(self, status: Status) -> list[tuple[str, str]]:
        if not status.sensors:
            return [(self._say("no_edge"), "yellow")]
        up = [each for each in status.sensors if each.up]
        down = [each.id for each in status.sensors if not each.up]
        simulated = sum(each.origin != "sensor" for each in up)
        pieces = [(self._say("sensors", n=len(up), simulated=simulated or None), "")]
        if down:
            names = ", ".join(down[:3]) + (" ..." if len(down) > 3 else "")
            told = self._say("sensors_down", n=len(down), names=names)
            pieces.append((told, "bold red"))
        return pieces

    def _clock(self, time: str) -> str:
        moment = datetime.fromtimestamp(utc_ns(time) // SECOND_NS, self._zone)
        return f"{moment:%H:%M:%S}"

    def _place(self, message: AlertMessage) -> str:
        return message.lane or message.zone or message.site

    def _headline(self, message: AlertMessage) -> str:
        block = next((each for each in message.info if each.language == self.language), None)
        block = block or next(iter(message.info), None)
        # An edge of a later year may know codes that no info block here explains.
        text = block.headline if block is not None else message.event
        return strip_exercise(clean(text))[:100]

    def _info(self, message: AlertMessage) -> str:
        block = next((each for each in message.info if each.language == self.language), None)
        return block.instruction if block else ""

    def _sides(self, entry: Entry) -> str:
        return "+".join(side[:1].upper() for side in entry.sides)

    def _note(self, entry: Entry) -> str:
        message = entry.message
        if entry.already_active:
            began = self._clock(message.onset)
            return f"{self._say('already_active')} {began}"
        if message.msg_type == "Update":
            return self._say("update", n=message.revision)
        return self._say("over") if message.msg_type == "Cancel" else ""


def age_text(age_s: float) -> str:
    """`4 s`, `3 min`, `2 h`."""
    if age_s < 100.0:
        return f"{max(0.0, age_s):.0f} s"
    return f"{age_s / 60:.0f} min" if age_s < 6000.0 else f"{age_s / 3600:.0f} h"


# --- screens ---------------------------------------------------------------------------


class PlainScreen:
    """Lines without control codes, for pipes and files."""

    def __init__(self, wording: Wording, out: TextIO) -> None:
        self._wording = wording
        self._out = out
        self._told = ""
        self._told_s: float | None = None

    def show(self, items: Iterable[Entry | Notice]) -> None:
        """One line per entry, one per reason."""
        for item in items:
            if isinstance(item, Notice):
                self.say(f"-- {self._wording.notice(item)}")
                continue
            self.say("  ".join(text for text, _ in self._wording.head(item)))
            for reason in self._wording.reasons(item):
                self.say(" " * INDENT + reason)
            for line in (self._wording.instruction(item), self._wording.evidence(item)):
                if line:
                    self.say(" " * INDENT + line)

    def say(self, text: str) -> None:
        """One line."""
        self._out.write(text + "\n")
        self._out.flush()

    def status(self, status: Status, now_s: float) -> None:
        """A line now and then, and at once when a sensor or a side changes."""
        pieces = [text for text, _ in self._wording.status(status)]
        changing = f"{[(e.id, e.up) for e in status.sensors]}{[e.connected for e in status.links]}"
        wait_s = STATUS_EVERY_S if changing == self._told else STATUS_SETTLE_S
        if self._told_s is not None and now_s < self._told_s + wait_s:
            return
        self._told, self._told_s = changing, now_s
        self.say("-- " + " | ".join(pieces))

    def close(self) -> None:
        """Nothing to undo."""


class TerminalScreen:
    """Alerts scroll above, the status line stays at the bottom."""

    def __init__(self, wording: Wording, console: Console) -> None:
        self._wording = wording
        self._console = console
        self._live = Live(console=console, refresh_per_second=4, transient=True)
        self._live.start()

    def show(self, items: Iterable[Entry | Notice]) -> None:
        """Entries, wrapped with their reasons indented."""
        for item in items:
            if isinstance(item, Notice):
                self._console.print(Text(f"-- {self._wording.notice(item)}", style="dim"))
            else:
                self._console.print(self._entry(item))

    def say(self, text: str) -> None:
        """As it is; addresses in it are not broken over lines."""
        self._console.print(Text(text), soft_wrap=True)

    def status(self, status: Status, now_s: float) -> None:
        """The line at the bottom."""
        line = Text(" ")
        for index, (text, style) in enumerate(self._wording.status(status)):
            line.append(" │ " if index else "", style="dim")
            line.append(text, style=style)
        rule = Text("─" * self._console.width, style="dim", no_wrap=True)
        self._live.update(Group(rule, line))

    def close(self) -> None:
        """Give the last line and the cursor back."""
        self._live.stop()

    def _entry(self, entry: Entry) -> RenderableType:
        head = Text()
        for index, (text, style) in enumerate(self._wording.head(entry)):
            head.append("  " if index else "")
            head.append(text, style=style)
        below = [Text(reason) for reason in self._wording.reasons(entry)]
        if instruction := self._wording.instruction(entry):
            below.append(Text(instruction, style="italic"))
        if evidence := self._wording.evidence(entry):
            below.append(Text(evidence, style="dim"))
        return Group(head, *(Padding(each, (0, 0, 0, INDENT)) for each in below))


def open_screen(language: str, out: TextIO | None = None) -> Screen:
    """The screen that fits where the output goes."""
    out = out or sys.stdout
    if isinstance(out, io.TextIOWrapper):
        out.reconfigure(errors="replace")  # an old terminal shows ? for what it cannot write
    console = Console(file=out, highlight=False, markup=False, emoji=False)
    if not console.is_terminal or console.is_dumb_terminal:
        return PlainScreen(Wording(language, ascii_only=_ascii(out)), out)
    return TerminalScreen(Wording(language, ascii_only=_ascii(out)), console)


def _ascii(out: TextIO) -> bool:
    encoding = getattr(out, "encoding", None) or "ascii"
    try:
        "·◇▲■".encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return True
    return False
