import { beat, heardAt, now, site, stored } from "../state";
import { age, named, number, t, word } from "../words";
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
        <dd class={beat.value?.trouble ? "bad" : "ok"}>{beat.value?.trouble || t("readable")}</dd>
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
