// What the console's interface says: see /api/v1/openapi.json.

import type { Curves, PlaneAbout } from "./xray/matter";

export type Level = 1 | 2 | 3 | 4;
export type Language = "en-US" | "es-MX";

export interface ReasonBar {
  text: string;
  share: number;
}

export interface Words {
  headline: string;
  instruction: string;
  reasons: ReasonBar[];
}

export interface Summary {
  id: string;
  seq: number;
  first_seq: number;
  epoch: string;
  revision: number;
  event: string;
  level: Level;
  probability: number | null;
  place: string;
  direction: string | null;
  exercise: boolean;
  state: "Alert" | "Update" | "Cancel";
  onset: string;
  updated: string;
  committed_utc_ns: number;
  evidence: number;
  group: string | null;
  members: number;
  shelved_by: string | null;
  withheld: string[];
  words: Record<Language, Words>;
}

export type Stage = "new" | "acknowledged" | "dispatched" | "on-scene" | "adjudicated";

export interface Case {
  alert: string;
  stage: Stage;
  owner: string;
  steps: { stage: Stage; by: string; key: string }[];
  verdicts: { code: string; by: string; confirm?: string; nuclide?: string }[];
  assists: { what: string; by: string }[];
  notes: { sha256: string; by: string }[];
  hand_over?: { step: string; by: string; to: string; until: string; code: string };
}

/** A note as this side keeps it. */
export interface Kept {
  sha256: string;
  note: { alert: string; time: string; login: string; role: string; text: string };
}

export interface CaseChange {
  index: number;
  case: Case;
}

export interface Stored {
  side: string;
  seq: number;
  waiting: number;
}

export interface Page {
  seq: number;
  index: number;
  alerts: Summary[];
  more: boolean;
  cases: CaseChange[];
  stored: Stored[];
}

export interface Me {
  login: string;
  role: string;
  language: Language;
  acts: string[];
  csrf: string;
  site: string;
  side: string;
}

export interface Beat {
  utc_ns: number;
  service: boolean;
  quiet_s: number;
  trouble: string;
}

export interface SensorHealth {
  id: string;
  kind: string;
  family: "radiation" | "seismic" | "xray";
  origin: "sensor" | "simulator" | "replay";
  up: boolean;
  last_sample_age_s: number | null;
  malformed: number;
  dropped: number;
  text: string;
}

export interface SideHealth {
  side: string;
  connected: boolean;
  outbox_depth: number;
  oldest_age_s: number | null;
  dead_letters: number;
  text: string;
}

export interface Health {
  place: string;
  updated: string;
  sensors: SensorHealth[];
  sides: SideHealth[];
}

export interface Layout {
  names: Partial<Record<Language, string>>;
  lanes: {
    id: string;
    names: Partial<Record<Language, string>>;
    direction: string;
    portal_m: [number, number];
    heading_deg: number | null;
  }[];
  zones: { id: string; names: Partial<Record<Language, string>>; side: string }[];
  sensors: { id: string; family: string; place: string; position_m: [number, number] }[];
}

export interface Status {
  ready: boolean;
  reasons: string[];
  degraded: string[];
  clock_offset_s: number;
  shelved: Shelved[];
  rung: { per_h: number; limit_per_h: number; in_flood: boolean; flood_ratio: number } | null;
  sides: { side: string; connected: boolean }[];
  certificates: { side: string; what: "own" | "ca"; left_s: number | null }[];
  disk: { free_bytes: number; total_bytes: number } | null;
}

/** What rings for nobody now; an empty scope is any. */
export interface Shelved {
  event: string;
  sensor: string;
  place: string;
  by: string;
  reason: string;
  until: string;
  inhibit: boolean;
  exercise: boolean;
}

export interface Site {
  site: string;
  side: string;
  replay: boolean;
  layout: Layout;
  birth: unknown;
  health: Record<string, Health>;
  status: Status | null;
  stored: Stored[];
  beat: Beat;
}

export interface Live {
  place: string;
  sensor: string;
  kind: string;
  time: string;
  values: Record<string, number | number[]>;
}

export interface Contribution {
  source: string;
  kind: string;
  explanation: string;
  nats: number;
  age_s: number;
  capped: boolean;
  facts: Record<string, unknown>;
}

export interface Evidence {
  name: string;
  media_type: string;
  sha256: string;
  bytes: number;
}

export interface Alert {
  id: string;
  revision: number;
  event: string;
  level: Level;
  onset: string;
  updated: string;
  explanations: { name: string; probability: number }[];
  contributions: Contribution[];
  silent: string[];
  down: string[];
  info: { language: string; headline: string; description: string; instruction: string }[];
  evidence: Evidence[];
  withheld?: Record<string, { rule: string; sha256: string }>;
}

export interface Whole {
  alert: Alert;
  summary: Summary;
  case: CaseChange | null;
  revisions: number[];
}

export interface Answer {
  accepted: boolean;
  refusal: string;
  text: string;
  state?: Case;
}

/** Something that stands out of a scan, in metres. */
export interface Box {
  number: number;
  kind: string;
  from_m: number;
  to_m: number;
  bottom_m: number;
  top_m: number;
  nats: number;
  areal_g_cm2: number | null;
  material: string;
}

export interface Mark {
  sensor: string;
  kind: string;
  position_m: number;
  from_m: number;
  to_m: number;
}

export interface Trace {
  sensor: string;
  channel: string;
  rate_hz: number;
  begin_s: number;
  step_s: number;
  low: number[];
  high: number[];
  spectrogram: {
    rows: number;
    columns: number;
    hz_step: number;
    begin_s: number;
    step_s: number;
    levels: string;
  } | null;
  footfalls_s: number[];
}

export interface Axis {
  zero: string;
  speed_m_s: number | null;
  series: { sensor: string; kind: string; t_s: number[]; cps: number[]; background_cps: number | null }[];
  traces: Trace[];
  marks: Mark[];
  silent: string[];
  down: string[];
}

export interface ScanOf {
  sha256: string;
  whole: boolean;
  sensor: string;
  boxes: Box[];
}

export interface ScanAbout {
  scan: string;
  sensor: string;
  rows: number;
  columns: number;
  pitch_x_mm: number;
  pitch_y_mm: number;
  front_column: number;
  bottom_row: number;
  binning: number;
  partial: boolean;
  lost_columns: [number, number][];
  planes: PlaneAbout[];
  curves: Curves | null;
}
