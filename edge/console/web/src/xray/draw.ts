// Pixels of a plane on a canvas: window and level, logarithm, inverse, colours; only what is seen.

import { CELL_PX, type Plane } from "./matter";

export type Colours = "grey" | "pseudo" | "material" | "organic" | "metal";

export interface Look {
  /** Attenuation (with the logarithm) or transmission in the middle of the grey scale. */
  level: number;
  window: number;
  log: boolean;
  inverse: boolean;
  colours: Colours;
}

export interface View {
  /** Screen pixels for each of the picture's. */
  scale: number;
  /** The picture's column and row in the upper left corner. */
  left: number;
  top: number;
}

export const USUAL: Look = { level: 2.5, window: 5, log: true, inverse: false, colours: "grey" };
export const LINEAR: Look = { level: 0.5, window: 1, log: false, inverse: false, colours: "grey" };
/** Presets: what a thin thing shows in the low beam, and a thick one in the high beam. */
export const THIN: Look = { level: 0.75, window: 1.5, log: true, inverse: false, colours: "grey" };
export const THICK: Look = { level: 4, window: 5, log: true, inverse: false, colours: "grey" };

const LOG_STEPS = 1 << 14;
/** -ln of a share in steps of 1 / LOG_STEPS: a table is ten times as fast as the function. */
const LOGS = Float32Array.from({ length: LOG_STEPS + 1 }, (_, at) => -Math.log(Math.max(at, 0.25) / LOG_STEPS));

export function attenuation(transmission: number): number {
  if (transmission >= 1) return -Math.log(transmission);
  const at = transmission * LOG_STEPS;
  return at < 64 ? -Math.log(Math.max(transmission, 2e-5)) : LOGS[Math.round(at)]!;
}

/** 0 black ... 255 white of a value. */
export function grey(value: number, look: Look): number {
  const share = (value - (look.level - look.window / 2)) / look.window;
  // Thick is dark as a picture of X-rays has it; the inverse is the other way round.
  const light = look.log ? 1 - share : share;
  const shade = Math.min(Math.max(look.inverse ? 1 - light : light, 0), 1);
  return Math.round(shade * 255);
}

/** Colours of 256 greys: blue over green and yellow to red. */
export const PSEUDO: readonly [number, number, number][] = Array.from({ length: 256 }, (_, at) => {
  const x = at / 255;
  const hump = (centre: number) => Math.min(Math.max(1.5 - Math.abs(4 * x - centre), 0), 1);
  return [Math.round(255 * hump(3)), Math.round(255 * hump(2)), Math.round(255 * hump(1))];
});

/** As image analysts know them: organic orange, light metal green, steel blue, dense violet. */
export const MATERIALS: Record<number, readonly [number, number, number]> = {
  1: [255, 150, 40],
  2: [90, 200, 90],
  3: [80, 140, 255],
  4: [190, 90, 230],
  255: [40, 20, 50],
};
const ORGANIC = new Set([1]);
const METAL = new Set([2, 3, 4, 255]);

export interface Groups {
  rows: number;
  columns: number;
  group: Uint8Array;
}

/** Fill an image with what a view shows of a plane. */
export function draw(image: ImageData, plane: Plane, view: View, look: Look, groups: Groups | null): void {
  const { rows, columns } = plane.about;
  const words = new Uint32Array(image.data.buffer);
  words.fill(0xff202020);
  const tints = tintsOf(look, groups);
  const xs = new Int32Array(image.width);
  for (let x = 0; x < image.width; x++) {
    const column = Math.floor(view.left + x / view.scale);
    xs[x] = column >= 0 && column < columns ? column : -1;
  }
  for (let y = 0; y < image.height; y++) {
    const row = Math.floor(view.top + y / view.scale);
    if (row < 0 || row >= rows) continue;
    const scale = plane.row[row]!;
    const dark = plane.dark[row]!;
    const from = row * columns;
    const to = y * image.width;
    const cells = groups ? Math.floor(row / CELL_PX) * groups.columns : 0;
    for (let x = 0; x < image.width; x++) {
      const column = xs[x]!;
      if (column < 0) continue;
      const pulse = plane.column[column]! * scale;
      if (!pulse) {
        words[to + x] = 0xff5a1d16; // never measured: a colour that no matter has
        continue;
      }
      const share = (plane.counts[from + column]! - dark) * pulse;
      const value = look.log ? attenuation(share) : share;
      const shade = grey(value, look);
      words[to + x] = tints(shade, groups ? groups.group[cells + (column >> 2)]! : 0);
    }
  }
}

function tintsOf(look: Look, groups: Groups | null): (shade: number, group: number) => number {
  if (look.colours === "pseudo") {
    const table = PSEUDO.map(([r, g, b]) => word(r, g, b));
    return (shade) => table[shade]!;
  }
  const table = Array.from({ length: 256 }, (_, at) => word(at, at, at));
  if (look.colours === "grey" || !groups) return (shade) => table[shade]!;
  const kept = look.colours === "organic" ? ORGANIC : look.colours === "metal" ? METAL : null;
  const tinted = new Map(
    Object.entries(MATERIALS).map(([group, [r, g, b]]) => [
      Number(group),
      Array.from({ length: 256 }, (_, at) => {
        const light = at / 255;
        return word(...([r, g, b].map((one) => Math.round(one * light + 255 * light * light * (1 - one / 255))) as [number, number, number]));
      }),
    ]),
  );
  const faint = Array.from({ length: 256 }, (_, at) => word(...([0, 1, 2].map(() => 190 + Math.round(at / 4)) as [number, number, number])));
  return (shade, group) => {
    if (kept && group && !kept.has(group)) return faint[shade]!;
    return (tinted.get(group) ?? table)[shade]!;
  };
}

function word(r: number, g: number, b: number): number {
  return ((255 << 24) | (Math.min(b, 255) << 16) | (Math.min(g, 255) << 8) | Math.min(r, 255)) >>> 0;
}

/** The view that shows the whole picture. */
export function whole(rows: number, columns: number, width: number, height: number): View {
  const scale = Math.min(width / columns, height / rows);
  return { scale, left: (columns - width / scale) / 2, top: (rows - height / scale) / 2 };
}

/** Nearer or farther, the point under the pointer staying where it is. */
export function zoomed(view: View, factor: number, x: number, y: number): View {
  const scale = Math.min(Math.max(view.scale * factor, 0.02), 40);
  return {
    scale,
    left: view.left + x / view.scale - x / scale,
    top: view.top + y / view.scale - y / scale,
  };
}
