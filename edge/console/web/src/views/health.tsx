import type { Status } from "../types";
import { beat, heardAt, now, site, stored } from "../state";
import { age, named, number, size, t, word } from "../words";
import { Shelve, ShelvedNow } from "./shelve";
import { placeName } from "./watch";

export function HealthView() {
  const about = site.value;
  const sensors = Object.values(about?.health ?? {})
    .flatMap((one) => one.sensors.map((sensor) => ({ ...sensor, place: one.place })))
    .sort((a, b) => Number(a.up) - Number(b.up) || a.id.localeCompare(b.id));
  const sides = Object.values(about?.health ?? {})[0]?.sides ?? [];
  const status = about?.status;
  return (
    <section class="health" aria-label={t("view_health")}>
      <h1 class="hidden">{t("view_health")}</h1>
      <h2>{t("health_service")}</h2>
      <dl class="facts">
        <dt>{t("health_state")}</dt>
        <dd class={status?.ready ? "ok" : "bad"}>
          {status?.ready ? `● ${t("ready")}` : `✕ ${status?.reasons.join("; ") || t("unknown")}`}
        </dd>
        <dt>{t("health_heard")}</dt>
        <dd>{age(now.value - heardAt.value)}</dd>
        <dt>{t("health_clock")}</dt>
        <dd>{status ? `${number(status.clock_offset_s, 3)} s` : "–"}</dd>
        <dt>{t("health_disk")}</dt>
        <dd class={beat.value?.trouble ? "bad" : "ok"}>
          {beat.value?.trouble ? `✕ ${beat.value.trouble}` : `● ${t("readable")}`}
          {status?.disk &&
            ` · ${t("disk_free", { free: size(status.disk.free_bytes), total: size(status.disk.total_bytes) })}`}
        </dd>
        <dt>{t("health_rung")}</dt>
        <dd>{status?.rung && <Load {...status.rung} />}</dd>
      </dl>
      {status && status.degraded.length > 0 && (
        <ul class="troubles">
          {status.degraded.map((one) => (
            <li key={one}>▲ {one}</li>
          ))}
        </ul>
      )}
      <h2>{t("sides")}</h2>
      <table>
        <thead>
          <tr>
            <th scope="col">{t("side")}</th>
            <th scope="col">{t("link")}</th>
            <th scope="col">{t("backlog")}</th>
            <th scope="col">{t("oldest")}</th>
            <th scope="col">{t("dead_letters")}</th>
            <th scope="col">{t("trouble")}</th>
          </tr>
        </thead>
        <tbody>
          {sides.map((one) => (
            <tr key={one.side}>
              <th scope="row">{word("side", one.side)}</th>
              <td class={one.connected ? "ok" : "bad"}>
                {one.connected ? `● ${t("reached")}` : `✕ ${t("not_reached")}`}
              </td>
              <td class="number">{stored.value.get(one.side)?.waiting ?? one.outbox_depth}</td>
              <td>{one.oldest_age_s === null ? "–" : age(one.oldest_age_s * 1000)}</td>
              <td class="number">{one.dead_letters}</td>
              <td>{one.text}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <Certificates />
      <h2>{t("shelved_now")}</h2>
      <ShelvedNow rows={status?.shelved ?? []} />
      <Shelve />
      <h2>{t("sensors")}</h2>
      <table>
        <thead>
          <tr>
            <th scope="col">{t("sensor")}</th>
            <th scope="col">{t("place")}</th>
            <th scope="col">{t("family")}</th>
            <th scope="col">{t("origin")}</th>
            <th scope="col">{t("health_state")}</th>
            <th scope="col">{t("last_sample")}</th>
          </tr>
        </thead>
        <tbody>
          {sensors.map((one) => (
            <tr key={one.id} class={one.up ? "" : "down"}>
              <th scope="row">{one.id}</th>
              <td>{placeName(one.place)}</td>
              <td>{word("family", one.family)}</td>
              <td>{word("origin", one.origin)}</td>
              <td class={one.up ? "ok" : "bad"}>
                {one.up ? `● ${t("up")}` : `✕ ${t("down")}`} {one.text}
              </td>
              <td>{one.last_sample_age_s === null ? "–" : age(one.last_sample_age_s * 1000)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p class="quiet">{named(about?.layout.names, about?.site ?? "")}</p>
    </section>
  );
}

/** What rang, against what one person can answer: a bar, and the figures in words. */
function Load({ per_h, limit_per_h, in_flood }: NonNullable<Status["rung"]>) {
  const share = Math.min(1, per_h / limit_per_h);
  return (
    <span class={in_flood || per_h > limit_per_h ? "bad" : ""}>
      <span class="load" aria-hidden="true">
        <span style={{ width: `${Math.round(share * 100)}%` }} />
      </span>{" "}
      {t("rung_of", { n: number(per_h, 1), limit: number(limit_per_h) })}
      {in_flood && ` · ▲ ${t("flood")}`}
    </span>
  );
}

const DAY_S = 86_400;
const SOON_DAYS = 14;

function Certificates() {
  const rows = site.value?.status?.certificates ?? [];
  if (!rows.length) return null;
  const left = (seconds: number | null) => {
    if (seconds === null) return `✕ ${t("not_read")}`;
    if (seconds <= 0) return `✕ ${t("ended")}`;
    return `${seconds < SOON_DAYS * DAY_S ? "▲ " : ""}${t("days_left", { n: Math.floor(seconds / DAY_S) })}`;
  };
  return (
    <>
      <h2>{t("certificates")}</h2>
      <table>
        <thead>
          <tr>
            <th scope="col">{t("side")}</th>
            <th scope="col">{t("certificates")}</th>
            <th scope="col">{t("valid")}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((one) => (
            <tr key={one.side + one.what}>
              <th scope="row">{word("side", one.side)}</th>
              <td>{t(`certificate_${one.what}`)}</td>
              <td class={(one.left_s ?? 0) < SOON_DAYS * DAY_S ? "bad" : "ok"}>{left(one.left_s)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}
