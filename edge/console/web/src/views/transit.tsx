import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import * as api from "../api";
import { act, busy, otherSide } from "../acts";
import { keys } from "../keys";
import { go } from "../route";
import { alerts, cases, may } from "../state";
import type { Contribution, Whole } from "../types";
import { clock, language, number, size, t, word } from "../words";
import { Age, Drill, LevelMark, Reasons, Standing } from "./parts";
import { later } from "../later";
import { Notes } from "./notes";
import { Shelve } from "./shelve";
import { placeName } from "./watch";

const Axis = later(() => import("./axis").then((found) => found.Axis));

const CODES = [
  "CONFIRMED_THREAT",
  "REFERRED_SECONDARY",
  "INNOCENT_NORM",
  "INNOCENT_MEDICAL",
  "INNOCENT_LEGAL_SHIPMENT",
  "FALSE_NOT_CONFIRMED",
  "NUISANCE_TRAFFIC",
  "NUISANCE_ANIMAL",
  "NUISANCE_WEATHER",
  "SENSOR_FAULT",
  "EXERCISE",
  "UNRESOLVED",
];
const LEAST = 0.0005; // what would be shown as nothing is not shown
const HELP = ["officers", "spectroscopist", "canine", "medical", "traffic"];

export function Transit({ id }: { id: string }) {
  const whole = useSignal<Whole | null>(null);
  const failed = useSignal("");
  const revision = alerts.value.get(id)?.revision;
  useEffect(() => {
    api.alert(id).then(
      (found) => (whole.value = found),
      (error: Error) => (failed.value = error.message || t("unreachable")),
    );
  }, [id, revision]);
  useEffect(
    () =>
      keys([
        { key: "a", name: "act_ack", run: () => may("acknowledge") && void act("ack", id) },
        { key: "d", name: "act_dispatch", run: () => may("dispatch") && void act("dispatch", id) },
        { key: "s", name: "act_on_scene", run: () => may("on-scene") && void act("on-scene", id) },
        { key: "2", name: "act_refer", run: () => may("refer") && void refer(id) },
      ]),
    [id],
  );
  const found = whole.value;
  if (!found) return <p class="quiet">{failed.value || t("loading")}</p>;
  const one = alerts.value.get(id) ?? found.summary;
  const words = one.words[language.value];
  const info = found.alert.info.find((each) => each.language === language.value);
  return (
    <section class="transit" aria-label={t("view_transit")}>
      <header>
        <button type="button" onClick={() => go("watch")}>
          ← {t("view_watch")}
        </button>
        <LevelMark level={one.level} />
        {one.exercise && <Drill />}
        <span>
          {placeName(one.place)}
          {one.direction && ` · ${word("direction", one.direction)}`}
        </span>
        <span>
          {clock(one.onset)} · <Age of={one.onset} />
        </span>
        <Standing one={one} />
      </header>
      <h1>{words.headline}</h1>
      <p class="instruction">{info?.instruction ?? words.instruction}</p>
      <Acts id={id} />
      <div class="columns">
        <div>
          <h2>{t("why")}</h2>
          <Reasons reasons={words.reasons} />
          <p>{info?.description}</p>
          <Explanations found={found} />
          <Silent found={found} />
        </div>
        <div>
          <h2>{t("history")}</h2>
          <History id={id} />
          <h2>{t("notes")}</h2>
          <Notes id={id} />
          {one.event && <Shelve event={one.event} place={one.place} />}
        </div>
      </div>
      {(one.evidence > 0 || found.alert.contributions.some((each) => "position_m" in each.facts)) && (
        <>
          <h2>{word("axis", "title")}</h2>
          <Axis id={id} key={found.summary.revision} />
        </>
      )}
      <h2>{t("evidence")}</h2>
      <Evidence found={found} />
      <h2>{t("contributions")}</h2>
      <Contributions rows={found.alert.contributions} />
      {found.alert.withheld && (
        <p class="quiet">
          {t("withheld", { fields: Object.keys(found.alert.withheld).join(", ") })}
        </p>
      )}
    </section>
  );
}

async function refer(id: string): Promise<void> {
  await act("adjudicate", id, { code: "REFERRED_SECONDARY" });
}

function Acts({ id }: { id: string }) {
  const waits = busy.value.has(id);
  const button = (right: string, verb: string, more: object = {}, name = verb) =>
    may(right) && (
      <button type="button" disabled={waits} onClick={() => void act(verb, id, more)}>
        {t(`act_${name.replace("-", "_")}`)}
      </button>
    );
  return (
    <div class="acts" role="group" aria-label={t("acts")}>
      {button("acknowledge", "ack")}
      {button("refer", "adjudicate", { code: "REFERRED_SECONDARY" }, "refer")}
      {button("dispatch", "dispatch")}
      {button("on-scene", "on-scene")}
      {may("adjudicate") && (
        <Choice name="act_adjudicate" table="verdict" codes={CODES} take={(code) => act("adjudicate", id, { code })} />
      )}
      {may("assist") && (
        <Choice name="act_assist" table="assist" codes={HELP} take={(what) => act("assist", id, { what })} />
      )}
      {may("hand-over") && (
        <Choice
          name="act_hand_over"
          table="step"
          codes={["offered", "accepted", "declined", "closed"]}
          take={(step) =>
            act("hand-over", id, { step, to: cases.value.get(id)?.hand_over?.to ?? otherSide() })
          }
        />
      )}
    </div>
  );
}

interface ChoiceProps {
  name: string;
  table: string;
  codes: string[];
  take: (code: string) => Promise<boolean>;
}

function Choice({ name, table, codes, take }: ChoiceProps) {
  return (
    <label class="choice">
      <span class="hidden">{t(name)}</span>
      <select
        value=""
        onChange={(event) => {
          const code = event.currentTarget.value;
          event.currentTarget.value = "";
          if (code) void take(code);
        }}
      >
        <option value="">{t(name)} …</option>
        {codes.map((code) => (
          <option value={code} key={code}>
            {word(table, code)}
          </option>
        ))}
      </select>
    </label>
  );
}

function Explanations({ found }: { found: Whole }) {
  return (
    <ul class="explanations">
      {found.alert.explanations
        .filter((one) => one.probability >= LEAST)
        .map((one) => (
        <li key={one.name}>
          <meter min={0} max={1} value={one.probability} aria-hidden="true" />
          <span class="share">{number(one.probability * 100, 1)} %</span>{" "}
          {word("explanation", one.name)}
        </li>
      ))}
    </ul>
  );
}

function Silent({ found }: { found: Whole }) {
  const { silent, down } = found.alert;
  return (
    <p class="quiet">
      {silent.length > 0 && `${t("silent")} ${silent.join(", ")}. `}
      {down.length > 0 && `${t("out_of_service")} ${down.join(", ")}.`}
    </p>
  );
}

function Contributions({ rows }: { rows: Contribution[] }) {
  const sorted = [...rows].sort((a, b) => Math.abs(b.nats) - Math.abs(a.nats));
  return (
    <table class="contributions">
      <thead>
        <tr>
          <th scope="col">{t("source")}</th>
          <th scope="col">{t("test")}</th>
          <th scope="col">{t("speaks_for")}</th>
          <th scope="col">{t("nats")}</th>
          <th scope="col">{t("facts")}</th>
        </tr>
      </thead>
      <tbody>
        {sorted.map((one, n) => (
          <tr key={n}>
            <th scope="row">{one.source}</th>
            <td>{one.kind}</td>
            <td>{word("explanation", one.explanation)}</td>
            <td class="number">
              {number(one.nats, 2)}
              {one.capped && ` ${t("capped")}`}
            </td>
            <td class="small">
              {Object.entries(one.facts)
                .filter(([, value]) => typeof value !== "object")
                .slice(0, 8)
                .map(([name, value]) => `${name} ${String(value)}`)
                .join(" · ")}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Evidence({ found }: { found: Whole }) {
  const pictures = found.alert.evidence.filter((one) => one.media_type === "image/png");
  return (
    <div class="evidence">
      {pictures.map((one) => (
        <figure key={one.sha256}>
          <a href={`#/xray/${found.alert.id}`}>
            <img src={api.evidenceUrl(one.sha256)} alt={one.name} loading="lazy" />
          </a>
          <figcaption>{one.name}</figcaption>
        </figure>
      ))}
      <ul>
        {found.alert.evidence.map((one) => (
          <li key={one.sha256}>
            <a href={api.evidenceUrl(one.sha256)} download={one.name}>
              {one.name}
            </a>{" "}
            <small>
              {size(one.bytes)} · {one.media_type} · {one.sha256.slice(0, 12)}
            </small>
          </li>
        ))}
      </ul>
      {!found.alert.evidence.length && <p class="quiet">{t("no_evidence")}</p>}
    </div>
  );
}

/** What both sides have done about it, in the order of the common record. */
function History({ id }: { id: string }) {
  const standing = cases.value.get(id);
  if (!standing) return <p class="quiet">{t("nobody_yet")}</p>;
  const side = (by: string) => word("side", by.split("/")[0] ?? by);
  return (
    <ol class="history">
      {standing.steps.map((one) => (
        <li key={one.stage}>
          {word("stage", one.stage)} · {side(one.by)}
          {one.key && <small> {one.key}</small>}
        </li>
      ))}
      {standing.assists.map((one, n) => (
        <li key={`a${n}`}>
          {t("act_assist")}: {word("assist", one.what)} · {side(one.by)}
        </li>
      ))}
      {standing.verdicts.map((one, n) => (
        <li key={`v${n}`}>
          {word("verdict", one.code)} · {side(one.by)}
        </li>
      ))}
      {standing.hand_over && (
        <li>
          {t("act_hand_over")}: {word("step", standing.hand_over.step)} →{" "}
          {word("side", standing.hand_over.to)}
        </li>
      )}
    </ol>
  );
}
