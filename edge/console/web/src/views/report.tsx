// The shift on one page that prints, in both languages: what rang, who did what, what is left over.

import { useEffect } from "preact/hooks";
import { alerts, cases, me, more, reaches, site } from "../state";
import type { Language, Summary } from "../types";
import { both, clock, learn, t, wordIn } from "../words";
import { older, placeName } from "./watch";

const SHIFT_MS = 12 * 3600 * 1000;
const LANGUAGES: readonly Language[] = ["en-US", "es-MX"];

export function Report() {
  const until = Date.now();
  const since = until - SHIFT_MS;
  const whole = reaches(since);
  useEffect(() => void learn(LANGUAGES), []);
  useEffect(() => {
    if (!whole) void older();
  }, [whole, alerts.value.size, more.value]);
  const rows = [...alerts.value.values()]
    .filter((one) => Date.parse(one.onset) >= since && one.level >= 2)
    .sort((a, b) => a.first_seq - b.first_seq);
  return (
    <section class="report" aria-label={t("view_report")}>
      <h1>
        {both("view_report")} · {site.value?.site}
      </h1>
      <button type="button" class="main no-print" onClick={() => print()}>
        {t("print")}
      </button>
      {!whole && <p class="bad">{t("report_loading")}</p>}
      <Sums rows={rows} since={since} until={until} />
      <table>
        <thead>
          <tr>
            <th scope="col">{both("time")}</th>
            <th scope="col">{both("level")}</th>
            <th scope="col">{both("place")}</th>
            <th scope="col">{both("alert")}</th>
            <th scope="col">{both("answered")}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((one) => (
            <Line one={one} key={one.id} />
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Sums({ rows, since, until }: { rows: Summary[]; since: number; until: number }) {
  const answered = rows.filter((one) => (cases.value.get(one.id)?.stage ?? "new") !== "new").length;
  const offered = rows.filter((one) => cases.value.get(one.id)?.hand_over?.step === "offered").length;
  const down = Object.values(site.value?.health ?? {})
    .flatMap((one) => one.sensors)
    .filter((one) => !one.up)
    .map((one) => one.id);
  const times = { from: moment(since), to: moment(until) };
  return (
    <ul class="sums">
      <li>
        {both("report_span", times)} · {both("report_by", { login: me.value?.login ?? "" })}
      </li>
      <li>{both("report_count", { n: rows.length, answered })}</li>
      <li>{both("report_open", { n: rows.length - answered })}</li>
      <li>{both("report_handed", { n: offered })}</li>
      <li>{both("report_shelved", { n: site.value?.status?.shelved.length ?? 0 })}</li>
      <li>{down.length ? both("report_down", { names: down.join(", ") }) : both("report_none_down")}</li>
    </ul>
  );
}

function Line({ one }: { one: Summary }) {
  const standing = cases.value.get(one.id);
  const verdict = standing?.verdicts.at(-1)?.code;
  return (
    <tr>
      <td>{clock(one.onset)}</td>
      <td>{LANGUAGES.map((each) => wordIn(each, "level", String(one.level))).join(" / ")}</td>
      <td>{placeName(one.place)}</td>
      <td>
        {one.exercise && <strong>[{t("exercise_mark")}]</strong>}
        {LANGUAGES.map((each) => (
          <span lang={each} key={each}>
            {one.words[each].headline}
          </span>
        ))}
      </td>
      <td>
        {LANGUAGES.map((each) => (
          <span lang={each} key={each}>
            {wordIn(each, "stage", standing?.stage ?? "new")}
            {verdict && ` · ${wordIn(each, "verdict", verdict)}`}
          </span>
        ))}
      </td>
    </tr>
  );
}

function moment(ms: number): string {
  return new Date(ms).toISOString().slice(0, 16).replace("T", " ") + " UTC";
}
