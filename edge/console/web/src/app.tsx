import { useEffect, useState } from "preact/hooks";
import * as api from "./api";
import { notice } from "./acts";
import { help, keys, shown } from "./keys";
import { go, place, VIEWS, type View } from "./route";
import { alerts, beat, heardAt, me, now, site, stageOf, stale, stored } from "./state";
import { begin } from "./stream";
import { theme, toggleTheme } from "./theme";
import { muted, ring, shift, startShift } from "./sound";
import { age, language, named, speak, t, word } from "./words";
import { isOpen } from "./order";
import { later } from "./later";
import { LogIn } from "./views/login";
import { Watch } from "./views/watch";
import { Transit } from "./views/transit";
import { HealthView } from "./views/health";
import { Track } from "./views/track";
import { Report } from "./views/report";
import type { Language } from "./types";

const Xray = later(() => import("./views/xray").then((found) => found.Xray));
const LANGUAGES: Language[] = ["en-US", "es-MX"];
const NOTICE_MS = 6_000;

function browserLanguage(): Language {
  return navigator.language.toLowerCase().startsWith("es") ? "es-MX" : "en-US";
}

export function App() {
  const [ready, setReady] = useState(false);
  useEffect(() => {
    void (async () => {
      const [, found] = await Promise.all([
        speak(browserLanguage()).catch(() => undefined),
        api.session.me().catch(() => null),
      ]);
      me.value = found;
      setReady(true);
    })();
  }, []);
  if (!ready) return <main class="blank" aria-busy="true" />;
  return me.value ? <Station key={me.value.login} /> : <LogIn />;
}

function Station() {
  const [loaded, setLoaded] = useState(false);
  useEffect(() => {
    void speak(me.value!.language);
    void begin().then(
      () => setLoaded(true),
      () => setLoaded(true),
    );
    return keys([
      { key: "?", name: "key_help", run: () => (help.value = !help.value) },
      { key: "Escape", name: "key_back", run: back },
      { key: "w", name: "view_watch", run: () => go("watch") },
      { key: "h", name: "view_health", run: () => go("health") },
      { key: "t", name: "view_track", run: () => go("track") },
      { key: "r", name: "view_report", run: () => go("report") },
      { key: "m", name: "key_mute", run: () => (muted.value = !muted.value) },
      { key: "l", name: "key_language", run: () => void toggleLanguage() },
      { key: "c", name: "key_theme", run: toggleTheme },
    ]);
  }, []);
  useEffect(() => {
    let level = 0;
    for (const one of alerts.value.values())
      if (isOpen(one, stageOf(one.id))) level = Math.max(level, one.level);
    ring(level, now.value);
  });
  const exercise = site.value?.replay || place.value.id
    ? (alerts.value.get(place.value.id)?.exercise ?? site.value?.replay)
    : false;
  return (
    <div class={exercise ? "station drill" : "station"}>
      <a class="skip" href="#content">
        {t("skip")}
      </a>
      <Top />
      <aside aria-label={t("notices")}>
        <Banner />
        <Said />
      </aside>
      <main id="content" tabIndex={-1}>
        {loaded ? <Shown /> : <p class="quiet">{t("loading")}</p>}
      </main>
      {help.value && <Keys />}
    </div>
  );
}

function back(): void {
  if (help.value) help.value = false;
  else if (place.value.view !== "watch") go("watch");
  else (document.activeElement as HTMLElement | null)?.blur();
}

async function toggleLanguage(): Promise<void> {
  const next = LANGUAGES.find((one) => one !== language.value)!;
  await speak(next);
  me.value = await api.session.speak(next).catch(() => me.value);
}

function Shown() {
  const { view, id } = place.value;
  switch (view) {
    case "transit":
      return <Transit id={id} key={id} />;
    case "xray":
      return <Xray id={id} key={id} />;
    case "health":
      return <HealthView />;
    case "track":
      return <Track />;
    case "report":
      return <Report />;
    default:
      return <Watch />;
  }
}

const TABS: View[] = ["watch", "track", "health", "report"];

function Top() {
  const name = named(site.value?.layout.names, me.value?.site ?? "");
  const current = VIEWS.includes(place.value.view) ? place.value.view : "watch";
  return (
    <header class="top">
      <strong class="name">{name}</strong>
      <nav aria-label={t("views")}>
        {TABS.map((view) => (
          <a href={`#/${view}`} aria-current={current === view ? "page" : undefined} key={view}>
            {t(`view_${view}`)}
          </a>
        ))}
      </nav>
      <Sides />
      <span class="who">
        {me.value!.login} · {word("role", me.value!.role)}
      </span>
      <button type="button" onClick={() => void toggleLanguage()} lang={other()}>
        {other() === "es-MX" ? "Español" : "English"}
      </button>
      <button type="button" onClick={toggleTheme} aria-pressed={theme.value === "light"} aria-label={t("theme")}>
        ◐
      </button>
      <button type="button" onClick={() => (help.value = true)} aria-label={t("key_help")}>
        ?
      </button>
      <button
        type="button"
        onClick={() => void api.session.leave().finally(() => (me.value = null))}
      >
        {t("leave")}
      </button>
    </header>
  );
}

function other(): Language {
  return LANGUAGES.find((one) => one !== language.value)!;
}

/** Who has what: for each side whether it is reached, and how much it has yet to get. */
function Sides() {
  const sides = Object.values(site.value?.health ?? {})[0]?.sides ?? [];
  return (
    <ul class="sides" aria-label={t("sides")}>
      {sides.map((one) => {
        const waiting = stored.value.get(one.side)?.waiting ?? one.outbox_depth;
        const reached = isReached(one.side, one.connected);
        const text = reached ? t("reached") : t("not_reached");
        return (
          <li key={one.side} class={reached ? "ok" : "bad"} title={one.text}>
            <span aria-hidden="true">{reached ? "●" : "✕"}</span> {word("side", one.side)}{" "}
            <small>{waiting ? t("waiting", { n: waiting }) : text}</small>
          </li>
        );
      })}
    </ul>
  );
}

/** What was said last: the status comes each second, the health documents less often. */
function isReached(side: string, before: boolean): boolean {
  return site.value?.status?.sides.find((one) => one.side === side)?.connected ?? before;
}

function Banner() {
  const why = stale.value;
  if (why) {
    const since = why === "silent" ? now.value - heardAt.value : (beat.value?.quiet_s ?? 0) * 1000;
    return (
      <p class="banner bad" role="alert">
        <strong>{t("stale")}</strong> {t(`stale_${why}`, { age: age(since) })}
      </p>
    );
  }
  const away = (site.value?.status?.sides ?? []).filter((one) => !one.connected && !site.value?.replay);
  if (away.length)
    return (
      <p class="banner bad" role="alert">
        {away
          .map((one) => t("away", { side: word("side", one.side), n: stored.value.get(one.side)?.waiting ?? 0 }))
          .join(" ")}
      </p>
    );
  if (site.value?.replay)
    return (
      <p class="banner drill-mark">
        {t("exercise_mark")} · {t("replay_mark")}
      </p>
    );
  if (!shift.value)
    return (
      <p class="banner">
        {t("no_sound")}{" "}
        <button type="button" class="main" onClick={startShift}>
          {t("start_shift")}
        </button>
      </p>
    );
  return null;
}

function Said() {
  const told = notice.value;
  const fresh = told && now.value - told.at < NOTICE_MS;
  return (
    <p class={`said ${told?.bad ? "bad" : ""}`} role="status" aria-live="polite">
      {fresh ? told.text : ""}
    </p>
  );
}

function Keys() {
  return (
    <div class="over" role="dialog" aria-modal="true" aria-label={t("key_help")}>
      <div class="card">
        <h2>{t("key_help")}</h2>
        <dl class="keys">
          {shown.value.map((one) => (
            <div key={one.key}>
              <dt>
                <kbd>{one.key}</kbd>
              </dt>
              <dd>{t(one.name)}</dd>
            </div>
          ))}
        </dl>
        <button type="button" class="main" onClick={() => (help.value = false)} autoFocus>
          {t("close")}
        </button>
      </div>
    </div>
  );
}
