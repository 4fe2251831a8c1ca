import { describe, expect, it } from "vitest";
import { along, arealOf, brightest, materials, matterAt, Plane, placeOf, type Curves } from "./matter";

const AT = Array.from({ length: 11 }, (_, n) => n);
// Four groups: each takes less in the low plane than the one before, and needs more of itself.
const CURVES: Curves = {
  groups: ["organic", "light-metal", "steel", "dense"],
  at: AT,
  areal_g_cm2: [20, 22, 24, 26].map((each) => AT.map((at) => at * each)),
  low: [1.4, 1.3, 1.2, 1.1].map((each) => AT.map((at) => at * each)),
};
const ROWS = 20;
const COLUMNS = 30;

function plane(name: string, transmission: (row: number, column: number) => number): Plane {
  const air = 40_000;
  const counts = new Uint16Array(ROWS * COLUMNS);
  const gain = Array.from({ length: ROWS }, (_, row) => (row === 7 ? 0 : 1 + row / 100));
  const pulse = Array.from({ length: COLUMNS }, (_, at) => (at === 9 ? 0 : 1 - at / 200));
  for (let row = 0; row < ROWS; row++)
    for (let at = 0; at < COLUMNS; at++)
      counts[row * COLUMNS + at] = Math.round(100 + transmission(row, at) * air * gain[row]! * pulse[at]!);
  const dark = Array.from({ length: ROWS }, () => 100);
  return new Plane({ plane: name, rows: ROWS, columns: COLUMNS, air_counts: air, dark, gain, pulse }, counts);
}

describe("a plane", () => {
  it("gives back the transmission that its counts were made of", () => {
    const made = plane("high", (row, at) => (row + at + 1) / 60);
    expect(made.transmission(3, 4)).toBeCloseTo(8 / 60, 3);
    expect(made.transmission(19, 29)).toBeCloseTo(49 / 60, 3);
  });
  it("measures nothing in a dead row and a lost line", () => {
    const made = plane("high", () => 0.5);
    expect(made.transmission(7, 3)).toBeNaN();
    expect(made.transmission(3, 9)).toBeNaN();
    expect(made.around(7, 9, 0).n).toBe(0);
    expect(made.around(6, 8).mean).toBeCloseTo(0.5, 3);
  });
  it("takes the brightest for air where nobody has measured it", () => {
    const counts = Uint16Array.from({ length: 1000 }, (_, n) => n);
    expect(brightest(counts)).toBeGreaterThan(990);
  });
});

describe("matter", () => {
  it("is read between the points of a curve and held at its ends", () => {
    expect(along([0, 10, 40], [0, 1, 2], 1.5)).toBe(25);
    expect(along([0, 10, 40], [0, 1, 2], 9)).toBe(40);
    expect(along([0, 10, 40], [0, 1, 2], -1)).toBe(0);
  });
  it.each([0, 1, 2, 3, 0.5, 1.25, 2.75])("is found again at place %d", (place) => {
    const low = Math.min(Math.floor(place), 2);
    const each = [1.4, 1.3, 1.2, 1.1];
    const ratio = each[low]! + (place - low) * (each[low + 1]! - each[low]!);
    expect(placeOf(CURVES, 2, 2 * ratio)).toBeCloseTo(place, 6);
  });
  it("is at an end where the pair lies beyond the groups", () => {
    expect(placeOf(CURVES, 2, 9)).toBe(0);
    expect(placeOf(CURVES, 2, 0.1)).toBe(3);
  });
  it("has the areal density of its own curve", () => {
    expect(arealOf(CURVES, 2, 2)).toBeCloseTo(48, 6);
    expect(arealOf(CURVES, 2, 3)).toBeCloseTo(52, 6);
    expect(arealOf(CURVES, 2, 0.5)).toBeCloseTo(42, 6);
  });
  it("is told with its doubt by the probe", () => {
    const high = plane("high", () => Math.exp(-2));
    const low = plane("low", () => Math.exp(-2.4));
    const told = matterAt(high, low, CURVES, 12, 20);
    expect(told.untold).toBe("");
    expect(told.place).toBeCloseTo(2, 1);
    expect(told.areal).toBeCloseTo(48, 0);
    expect(told.placeSd).toBeLessThan(0.1);
  });
  it("is not told of air, of what is opaque, nor of one plane alone", () => {
    const air = plane("high", () => 0.99);
    expect(matterAt(air, air, CURVES, 12, 20).untold).toBe("air");
    const thick = plane("high", () => 1e-4);
    expect(matterAt(thick, thick, CURVES, 12, 20).untold).toBe("opaque");
    expect(matterAt(air, null, CURVES, 12, 20).untold).toBe("single");
    expect(matterAt(air, air, CURVES, 7, 9).untold).toBe("air");
  });
  it("is coloured by cells", () => {
    const high = plane("high", (_, at) => (at < 15 ? 1 : Math.exp(-2)));
    const low = plane("low", (_, at) => (at < 15 ? 1 : Math.exp(-2.8)));
    const found = materials(high, low, CURVES);
    expect([found.rows, found.columns]).toEqual([5, 8]);
    expect(found.group[2 * 8 + 0]).toBe(0);
    expect(found.group[2 * 8 + 6]).toBe(1);
  });
});
