import { alerts, cases, site } from "../state";
import { language, named, t, word } from "../words";
import { clock } from "../words";

const SHIFT_MS = 12 * 3600 * 1000;

/** One printable page of the last shift, from what is in the list. */
export function Report() {
  const since = Date.now() - SHIFT_MS;
  const rows = [...alerts.value.values()]
    .filter((one) => Date.parse(one.onset) >= since && one.level >= 2)
    .sort((a, b) => a.first_seq - b.first_seq);
  const answered = rows.filter((one) => cases.value.has(one.id)).length;
  return (
    <section class="report" aria-label={t("view_report")}>
      <h1>
        {t("view_report")} · {named(site.value?.layout.names, site.value?.site ?? "")}
      </h1>
      <p>{t("report_count", { n: rows.length, answered })}</p>
      <button type="button" class="main no-print" onClick={() => print()}>
        {t("print")}
      </button>
      <table>
        <thead>
          <tr>
            <th scope="col">{t("time")}</th>
            <th scope="col">{t("level")}</th>
            <th scope="col">{t("place")}</th>
            <th scope="col">{t("alert")}</th>
            <th scope="col">{t("answered")}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((one) => {
            const standing = cases.value.get(one.id);
            return (
              <tr key={one.id}>
                <td>{clock(one.onset)}</td>
                <td>{word("level", String(one.level))}</td>
                <td>{one.place}</td>
                <td>
                  {one.exercise && `[${t("exercise_mark")}] `}
                  {one.words[language.value].headline}
                </td>
                <td>
                  {word("stage", standing?.stage ?? "new")}
                  {standing?.verdicts.length
                    ? ` · ${word("verdict", standing.verdicts.at(-1)!.code)}`
                    : ""}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </section>
  );
}
