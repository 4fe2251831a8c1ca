"""Evidence of incidents in columns, for the kernel that weighs it (fusion.kernels.evidence).

A `Cell` holds what one incident's detections say and answers whether anything of it is worth a
word: most of what sensors notice is not, and nobody reads its reasons. What is, `fusion.score`
weighs, with a table that adds up. For many incidents at once see `fusion.cells_batch`.
"""

import itertools
import math
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fusion.groups import Correlation, group_of
from fusion.kernels import evidence as kernel
from fusion.score import Score
from fusion.scoring_policy import ScoringPolicy
from fusion.types import Detection

Floats = NDArray[np.float64]
Rows = Sequence[tuple[Detection, float]]
"""Detections, each with its pairing weight."""

FIRST_SLOTS = 8  # detections of an incident; doubled where there are more
MAX_QUESTIONS = 62  # bits of a number
FEW_VOICES = 2  # of a group: none of so few counts for more than it would alone
ROUNDING = 1e-6  # of a probability and in nats: far more than all sums together are off by
GROUPS = {"radiation": 0.0, "seismic": 1.0, "xray": 2.0, "fusion": 3.0}


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """Which explanation has which column, and how they compete."""

    policy: ScoringPolicy
    names: tuple[str, ...]
    asked: tuple[str, ...]
    """The questions, in the order of their bits."""
    columns: Mapping[str, int]
    questions: NDArray[np.int64]
    """(explanations,) number of the question of each."""
    kin: NDArray[np.int64]
    """(explanations,) number of what each is told as."""
    lines: Floats
    """(explanations,) probability of that from which it is told; infinite: never."""
    spans: tuple[tuple[int, int], ...]
    """The first column of each question, and one beyond its last."""
    silence: tuple[float, ...]
    """(explanations,) zeros."""
    rhos: dict[tuple[str, str, str], float] = field(default_factory=dict)
    """Those of a group's kinds that were asked for; the policy stays."""
    leads: dict[bytes, Mapping[str, float]] = field(default_factory=dict)
    """By priors, what `leads_nats` gives."""

    @classmethod
    def of(
        cls,
        questions: Mapping[str, Sequence[str]],
        told_as: Mapping[str, str],
        lines: Mapping[str, float],
        policy: ScoringPolicy,
    ) -> "Layout":
        """Columns for the explanations of some questions.

        told_as  explanation to what it is told as; what is not there is never told
        lines    of what it is told as, probability

        ValueError: an explanation in two questions, or too many questions.
        """
        names = tuple(name for each in questions.values() for name in each)
        if len(set(names)) < len(names) or len(questions) > MAX_QUESTIONS:
            raise ValueError(f"explanations of {list(questions)}: twice the same, or too many")
        ends = tuple(itertools.accumulate(len(each) for each in questions.values()))
        told = [told_as.get(name, "") for name in names]
        numbers = {word: number for number, word in enumerate(dict.fromkeys(told))}
        return cls(
            policy=policy,
            names=names,
            asked=tuple(questions),
            columns={name: column for column, name in enumerate(names)},
            questions=np.repeat(np.arange(len(questions)), [len(q) for q in questions.values()]),
            kin=np.array([numbers[word] for word in told]),
            lines=np.array([lines[word] if word else math.inf for word in told]),
            spans=tuple(itertools.pairwise((0, *ends))),
            silence=(0.0,) * len(names),
        )

    def priors(self, nats: Mapping[str, float]) -> Floats:
        """(explanations,) from their names. KeyError of one that has none."""
        return np.array([nats[name] for name in self.names])

    def leads_nats(self, priors: Floats) -> Mapping[str, float]:
        """How much has to speak for each explanation that can be told before anything is told.

        priors  (explanations,) nats

        What is told as one thing competes with `nothing` at least: where no one of its
        explanations has gained as much as takes the sum of all their priors to the line, it stays
        below, whatever is said of others. Those that are never told are left out.
        """
        key = priors.tobytes()
        found = self.leads.get(key)
        if found is None:
            found = self.leads[key] = self._leads_nats(priors)
        return found

    def _leads_nats(self, priors: Floats) -> Mapping[str, float]:
        together: dict[tuple[int, int], list[int]] = {}
        for column, event in enumerate(
            zip(self.questions.tolist(), self.kin.tolist(), strict=True)
        ):
            together.setdefault(event, []).append(column)
        near, far, _ = self.policy.ground_rho
        rhos = (near, far, *self.policy.group_rho.values(), *self.policy.pair_rho.values())
        found: dict[str, float] = {}
        for columns in together.values():
            line = min(float(self.lines[column]) for column in columns) - ROUNDING
            if line > 1.0:
                continue
            odds = line / (1.0 - line) if 0.0 < line < 1.0 else 0.0
            weight = math.fsum(math.exp(priors[column]) for column in columns)
            # Voices that contradict one another count for more together than each alone.
            is_bound = odds > 0.0 and min(rhos) >= 0.0
            lead = math.log(odds / weight) - ROUNDING if is_bound else -math.inf
            found |= {self.names[column]: lead for column in columns}
        return found

    @property
    def width(self) -> int:
        """Numbers of a row."""
        return kernel.NATS + len(self.names)

    def rho_of(self, group: str, kind: str, other_kind: str) -> float:
        """Correlation of two voices of a group by what kinds they are."""
        pair = group, kind, other_kind
        found = self.rhos.get(pair)
        if found is None:
            found = self.rhos[pair] = self.policy.rho_of(*pair)
        return found

    def row(
        self, detection: Detection, voice: int, begin_utc_ns: int, pairing: float = 1.0
    ) -> list[float]:
        """A row of the kernel's table. KeyError: a kind that speaks and has no cap."""
        nats, columns = detection.nats, self.columns
        caps, decays = self.policy.caps_nats, self.policy.decay_s
        kind = detection.kind
        row = [
            float(detection.end_utc_ns - begin_utc_ns),
            pairing,
            float(voice),
            GROUPS[group_of(detection)],
            caps[kind] if nats else caps.get(kind, 0.0),
            decays.get(kind, 0.0),
            math.fsum(nats.values()),
            *self.silence,
        ]
        for name, value in nats.items():
            if name in columns:
                row[kernel.NATS + columns[name]] = value
        return row


class Cell:
    """What the detections of one incident say.

    Most incidents are faint: what speaks for them could not bring anything near its line even if
    nothing spoke against it. Those are weighed only when somebody asks for the numbers.
    """

    def __init__(
        self, layout: Layout, priors: Floats, correlation: Correlation | None = None
    ) -> None:
        """An incident of which nothing is known yet.

        priors       (explanations,) nats
        correlation  of two sensors of a family, as of `fusion.score.score`; never below 0
        """
        self._priors = priors
        self._layout = layout
        self._correlation = correlation
        self._leads = layout.leads_nats(priors)
        self._least_lead = min(self._leads.values(), default=math.inf)
        self._told: Rows = ()
        self._is_faint = False
        self._unweighed: tuple[Rows, int] | None = None
        """What was faint when it was asked, and of when; None: it is weighed."""
        self._held: Rows = ()
        self._voices: dict[tuple[str, str], int] = {}
        self._begin_utc_ns = 0
        self._rhos = np.empty((0, 0))
        self._sums = np.empty((3, len(layout.names)))
        self._table = np.zeros((FIRST_SLOTS, layout.width))
        self._room = np.zeros((FIRST_SLOTS, len(layout.names)))
        self._rows, self._weighed = self._table[:0], self._room[:0]

    def hold(self, rows: Rows) -> bool:
        """Take the detections, each with its pairing weight, for all that is known.

        Whether that is faint. What speaks for nothing would not change it where there is a
        correlation: what speaks for an explanation and against it are weighed apart then.
        KeyError: a kind that speaks and has no cap.
        """
        self._told = [row for row in rows if row[0].nats]  # the others say nothing
        self._is_faint = self._speaks_faintly()
        return self._is_faint

    def worth_telling(self, now_utc_ns: int) -> int:
        """The questions of which anything may be worth a word, as bits in the layout's order."""
        if self._is_faint:
            self._unweighed = self._told, now_utc_ns
            return 0
        return self._weigh(self._told, now_utc_ns)

    def _speaks_faintly(self) -> bool:
        """Whether nothing can be worth a word, without any weighing.

        Each explanation gets all that speaks for it, none of it faded or shared, and nothing that
        speaks against it.
        """
        if self._least_lead <= 0.0:
            return False
        leads, caps = self._leads, self._layout.policy.caps_nats
        apart = self._correlation is not None
        gains: dict[str, float] = {}
        voices: dict[str, int] = {}
        for detection, pairing in self._told:
            cap = caps[detection.kind]
            counts = not apart
            for name, nats in detection.nats.items():
                if nats > 0.0 and name in leads:
                    counts = True
                    gains[name] = gain = gains.get(name, 0.0) + pairing * min(nats, cap)
                    if gain >= leads[name]:
                        return False
            if counts:
                group = group_of(detection)
                voices[group] = count = voices.get(group, 0) + 1
                if count > FEW_VOICES:
                    return False
        return True

    def _weigh(self, rows: Rows, now_utc_ns: int) -> int:
        layout = self._layout
        self._unweighed = None
        self._write_all(rows)
        return kernel.screen(
            self._rows,
            self._rhos,
            self._correlation is not None,
            float(now_utc_ns - self._begin_utc_ns),
            self._priors,
            layout.questions,
            layout.kin,
            layout.lines,
            self._weighed,
            self._sums,
        )

    def _weigh_faint(self) -> None:
        """What was not weighed when it was asked for is now."""
        if self._unweighed is not None:
            self._weigh(*self._unweighed)

    def _write_all(self, rows: Rows) -> None:
        if len(rows) != len(self._held):
            self._sit(rows)
            return
        stays = True
        for slot, (now, before) in enumerate(zip(rows, self._held, strict=True)):
            detection, known = now[0], before[0]
            if detection is not known or now[1] != before[1]:
                self._write(slot, detection, now[1])
                alike = detection.kind == known.kind and detection.sensor_id == known.sensor_id
                stays = stays and alike
        self._held = rows
        if not stays:
            self._rhos = correlations([d for d, _ in rows], self._layout, self._correlation)

    def score(self, question: str) -> Score:
        """The answer to a question as it was weighed last, without the table of reasons."""
        self._weigh_faint()
        layout = self._layout
        begin, end = layout.spans[layout.asked.index(question)]
        nats, shares, nothing = self._sums[:, begin:end].tolist()
        names = layout.names[begin:end]
        pairs = [("nothing", nothing[0]), *zip(names, shares, strict=True)]
        return Score(
            explanations=tuple(sorted(pairs, key=lambda pair: (-pair[1], pair[0]))),
            nats=dict(zip(names, nats, strict=True)),
            contributions=(),
        )

    def strongest(self, explanation: str, but: Container[str] = ()) -> Detection | None:
        """What says most for or against an explanation, of those that name it where any do.

        but  not of these kinds
        """
        self._weigh_faint()
        nats = self._weighed[:, self._layout.columns[explanation]].tolist()
        rows = [
            (-abs(says), held.sensor_id, held.kind, slot)
            for slot, ((held, _), says) in enumerate(zip(self._held, nats, strict=True))
            if says and held.facts and held.kind not in but
        ]
        ranked = [self._held[slot][0] for _, _, _, slot in sorted(rows)]
        named = [each for each in ranked if each.facts.get("class") == explanation]
        return next(iter(named or ranked), None)

    @property
    def weighed(self) -> Floats:
        """(detections that speak, explanations) nats that each added when weighed last."""
        self._weigh_faint()
        return self._weighed

    def _sit(self, rows: Rows) -> None:
        """As many rows as there are detections now, all written."""
        if not self._held and rows:
            self._begin_utc_ns = rows[0][0].end_utc_ns
        if len(rows) > len(self._table):
            self._table = np.zeros((2 * len(rows), self._layout.width))
            self._room = np.zeros((2 * len(rows), len(self._layout.names)))
        self._rows, self._weighed = self._table[: len(rows)], self._room[: len(rows)]
        for slot, (detection, pairing) in enumerate(rows):
            self._write(slot, detection, pairing)
        self._rhos = correlations([d for d, _ in rows], self._layout, self._correlation)
        self._held = rows

    def _write(self, slot: int, detection: Detection, pairing: float) -> None:
        voice = self._voices.setdefault((detection.sensor_id, detection.kind), len(self._voices))
        self._table[slot, :] = self._layout.row(detection, voice, self._begin_utc_ns, pairing)


def correlations(
    detections: Sequence[Detection], layout: Layout, correlation: Correlation | None
) -> Floats:
    """(detections, detections) correlation of each two; 0 of those of different groups."""
    count = len(detections)
    groups = [group_of(detection) for detection in detections]
    rhos = [[0.0] * count for _ in range(count)]
    for i, j in itertools.combinations(range(count), 2):
        if groups[i] != groups[j]:
            continue
        one, other = detections[i], detections[j]
        rho = None if correlation is None else correlation(one.sensor_id, other.sensor_id)
        if rho is None:
            rho = layout.rho_of(groups[i], one.kind, other.kind)
        rhos[i][j] = rhos[j][i] = rho
    return np.array(rhos).reshape(count, count)
