// Pieces that several views show.

import { cases } from "../state";
import type { Level, ReasonBar, Summary } from "../types";
import { age, t, word } from "../words";
import { now } from "../state";

const SHAPES: Record<Level, string> = { 1: "·", 2: "◇", 3: "▲", 4: "■" };

/** A level by shape, word and colour: none of them alone. */
export function LevelMark({ level }: { level: Level }) {
  return (
    <span class={`level level-${level}`}>
      <span aria-hidden="true">{SHAPES[level]}</span> {word("level", String(level))}
    </span>
  );
}

export function Reasons({ reasons }: { reasons: ReasonBar[] }) {
  return (
    <ul class="reasons">
      {reasons.map((one) => (
        <li key={one.text}>
          <span class="bar" style={{ width: `${Math.round(one.share * 60)}px` }} aria-hidden="true" />
          <span class="share">{Math.round(one.share * 100)} %</span> {one.text}
        </li>
      ))}
    </ul>
  );
}

export function Age({ of }: { of: string }) {
  const ms = now.value - Date.parse(of);
  return (
    <time dateTime={of} title={new Date(of).toLocaleString()}>
      {age(ms)}
    </time>
  );
}

/** How far both sides have come with it. */
export function Standing({ one }: { one: Summary }) {
  const standing = cases.value.get(one.id);
  const stage = standing?.stage ?? "new";
  const by = standing?.steps.at(-1)?.by.split("/")[0] ?? "";
  const offer = standing?.hand_over;
  return (
    <span class={`stage stage-${stage}`}>
      {word("stage", stage)}
      {by && ` · ${word("side", by)}`}
      {offer?.step === "offered" && ` · ${t("offered", { side: word("side", offer.to) })}`}
      {standing?.verdicts.length ? ` · ${word("verdict", standing.verdicts.at(-1)!.code)}` : ""}
    </span>
  );
}

export function Drill() {
  return <span class="drill-tag">{t("exercise_mark")}</span>;
}
