import { useComputed, useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import * as api from "../api";
import { act, busy } from "../acts";
import { keys } from "../keys";
import { behind, EVERYTHING, extended, isOpen, ordered, visible, type Filter } from "../order";
import { go } from "../route";
import { alerts, cases, may, more, site, stageOf, stored, takePage } from "../state";
import type { Summary } from "../types";
import { clock, language, named, t, word } from "../words";
import { Age, Drill, LevelMark, Reasons, Standing } from "./parts";

const ROW = 104;
const BEYOND = 3;

export function Watch() {
  const filter = useSignal<Filter>(EVERYTHING);
  const order = useSignal<string[]>([]);
  const chosen = useSignal("");
  const over = useRef(false);
  const list = useRef<HTMLDivElement>(null);
  const top = useSignal(0);
  const height = useSignal(800);

  // Computed: scrolling draws many times and changes nothing of this.
  const wanted = useComputed(() => {
    void cases.value;
    return ordered(alerts.value.values(), stageOf, filter.value);
  });
  const late = useComputed(() => behind(order.value, wanted.value)).value;
  const settle = () => {
    order.value = wanted.value;
    if (!alerts.value.has(chosen.value)) chosen.value = order.value[0] ?? "";
  };
  const held = () =>
    over.current || top.value > 4 || (list.current?.contains(document.activeElement) ?? false);

  // In order when nobody has a hand on the list; else what is new waits above it, counted.
  useEffect(() => {
    void alerts.value;
    void cases.value;
    if (!held() || !order.value.length) settle();
    else order.value = extended(order.value, wanted.value, (id) => alerts.value.get(id)?.first_seq ?? 0);
  }, [alerts.value, cases.value]);
  useEffect(settle, [filter.value]);
  useLayoutEffect(() => {
    const box = list.current!;
    const watcher = new ResizeObserver(() => (height.value = box.clientHeight));
    watcher.observe(box);
    return () => watcher.disconnect();
  }, []);

  const show = (id: string) => {
    chosen.value = id;
    const at = order.value.indexOf(id);
    const box = list.current;
    if (at < 0 || !box) return;
    if (at * ROW < box.scrollTop) box.scrollTop = at * ROW;
    else if ((at + 1) * ROW > box.scrollTop + box.clientHeight)
      box.scrollTop = (at + 1) * ROW - box.clientHeight;
    requestAnimationFrame(() => document.getElementById(`row-${id}`)?.focus());
  };
  const step = (by: number) => {
    const at = order.value.indexOf(chosen.value);
    const next = order.value[Math.min(order.value.length - 1, Math.max(0, at + by))];
    if (next) show(next);
  };
  const newest = () => {
    settle();
    const first = order.value.find((id) => {
      const one = alerts.value.get(id);
      return one && isOpen(one, stageOf(id));
    });
    if (list.current) list.current.scrollTop = 0;
    show(first ?? order.value[0] ?? "");
  };
  const acknowledge = (id: string) => may("acknowledge") && id && void act("ack", id);

  useEffect(
    () =>
      keys([
        { key: "n", name: "key_newest", run: newest },
        { key: "j", name: "key_next", run: () => step(1) },
        { key: "k", name: "key_previous", run: () => step(-1) },
        { key: "a", name: "act_ack", run: () => acknowledge(chosen.value) },
        { key: "Enter", name: "key_open", run: () => chosen.value && go("transit", chosen.value) },
        {
          key: "/",
          name: "key_search",
          run: () => document.getElementById("search")?.focus(),
        },
      ]),
    [],
  );

  const scrolled = () => {
    const box = list.current!;
    top.value = box.scrollTop;
    const near = (order.value.length - 20) * ROW < box.scrollTop + box.clientHeight;
    if (near && more.value) void older();
  };

  const { first, count } = visible(top.value, height.value, ROW, order.value.length, BEYOND);
  const rows = order.value.slice(first, first + count);
  // A row that leaves gives its place in the document to one that comes: patched, not made anew.
  const slots = Math.ceil(height.value / ROW) + 2 * BEYOND + 2;
  return (
    <section class="watch" aria-label={t("view_watch")}>
      <h1 class="hidden">{t("view_watch")}</h1>
      <Filters filter={filter} />
      {late > 0 && (
        <button type="button" class="late" onClick={newest}>
          {t("late", { n: late })}
        </button>
      )}
      <div
        class="list"
        ref={list}
        role="list"
        onScroll={scrolled}
        onPointerEnter={() => (over.current = true)}
        onPointerLeave={() => {
          over.current = false;
          if (!held()) settle();
        }}
      >
        <div class="whole" style={{ height: `${order.value.length * ROW}px` }}>
          {rows.map((id, n) => {
            const one = alerts.value.get(id);
            return one ? (
              <Row
                key={(first + n) % slots}
                one={one}
                top={(first + n) * ROW}
                chosen={id === chosen.value}
                choose={() => (chosen.value = id)}
                acknowledge={() => acknowledge(id)}
              />
            ) : null;
          })}
        </div>
        {!order.value.length && <p class="quiet">{t("nothing")}</p>}
      </div>
    </section>
  );
}

let loading = false;

export async function older(): Promise<void> {
  if (loading) return;
  loading = true;
  try {
    let oldest = Infinity;
    for (const one of alerts.value.values()) oldest = Math.min(oldest, one.first_seq);
    takePage(await api.alerts(oldest, 1000), true);
  } finally {
    loading = false;
  }
}

interface RowProps {
  one: Summary;
  top: number;
  chosen: boolean;
  choose: () => void;
  acknowledge: () => void;
}

function Row({ one, top, chosen, choose, acknowledge }: RowProps) {
  const words = one.words[language.value];
  const open = isOpen(one, stageOf(one.id));
  return (
    <div
      id={`row-${one.id}`}
      class={`row level-${one.level} ${open ? "open" : ""} ${chosen ? "chosen" : ""}`}
      style={{ top: `${top}px`, height: `${ROW - 6}px` }}
      role="listitem"
      tabIndex={chosen ? 0 : -1}
      aria-label={`${word("level", String(one.level))}: ${words.headline}`}
      onFocus={choose}
      onClick={choose}
      onDblClick={() => go("transit", one.id)}
    >
      <div class="what">
        <LevelMark level={one.level} />
        <span class="place">
          {placeName(one.place)}
          {one.direction && ` · ${word("direction", one.direction)}`}
        </span>
        {one.exercise && <Drill />}
        {one.state === "Cancel" && <span class="over-tag">{t("over")}</span>}
        {one.shelved_by && <span class="over-tag">{t("shelved")}</span>}
        <span class="age">
          <Age of={one.onset} /> · {clock(one.onset)}
        </span>
      </div>
      <a class="headline" href={`#/transit/${one.id}`} tabIndex={-1}>
        {words.headline}
        {one.probability !== null && (
          <small> {t("probability", { p: Math.round(one.probability * 100) })}</small>
        )}
      </a>
      <Reasons reasons={words.reasons} />
      <div class="standing">
        <Standing one={one} />
        <Holders seq={one.seq} />
        {open && may("acknowledge") && (
          <button type="button" class="main" disabled={busy.value.has(one.id)} onClick={acknowledge}>
            {t("act_ack")}
          </button>
        )}
      </div>
    </div>
  );
}

/** Which sides have it on disk. */
function Holders({ seq }: { seq: number }) {
  return (
    <span class="holders">
      {[...stored.value.values()].map((side) => {
        const has = side.seq >= seq;
        return (
          <span
            key={side.side}
            class={has ? "has" : "has-not"}
            title={t(has ? "has_it" : "has_not", { side: word("side", side.side) })}
          >
            {has ? "✓" : "…"} {word("side", side.side)}
          </span>
        );
      })}
    </span>
  );
}

export function placeName(id: string): string {
  const layout = site.value?.layout;
  const found =
    layout?.lanes.find((one) => one.id === id) ?? layout?.zones.find((one) => one.id === id);
  return named(found?.names, id);
}

function Filters({ filter }: { filter: { value: Filter } }) {
  const layout = site.value?.layout;
  const places = [...(layout?.lanes ?? []), ...(layout?.zones ?? [])];
  const change = (part: Partial<Filter>) => (filter.value = { ...filter.value, ...part });
  return (
    <form class="filters" onSubmit={(event) => event.preventDefault()} role="search">
      <label>
        {t("from_level")}
        <select onChange={(event) => change({ level: Number(event.currentTarget.value) })}>
          {[1, 2, 3, 4].map((level) => (
            <option value={level} key={level}>
              {word("level", String(level))}
            </option>
          ))}
        </select>
      </label>
      <label>
        {t("place")}
        <select onChange={(event) => change({ place: event.currentTarget.value })}>
          <option value="">{t("all")}</option>
          {places.map((one) => (
            <option value={one.id} key={one.id}>
              {named(one.names, one.id)}
            </option>
          ))}
        </select>
      </label>
      <label>
        <input type="checkbox" onChange={(event) => change({ open: event.currentTarget.checked })} />{" "}
        {t("only_open")}
      </label>
      <label>
        {t("search")}
        <input
          id="search"
          type="search"
          onInput={(event) => change({ text: event.currentTarget.value })}
        />
      </label>
    </form>
  );
}
