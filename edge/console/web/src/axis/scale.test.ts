import { describe, expect, it } from "vitest";
import type { Axis } from "../types";
import { at, scaleOf, together } from "./scale";

const EMPTY: Axis = { zero: "", speed_m_s: null, series: [], traces: [], marks: [], silent: [], down: [] };
const series = [{ sensor: "rpm", kind: "gamma", t_s: [0.1, 0.3, 6.1], cps: [1, 2, 3], background_cps: 1 }];
const mark = (sensor: string, position_m: number) => ({ sensor, kind: "", position_m, from_m: position_m - 0.25, to_m: position_m + 0.25 });

describe("the axis", () => {
  it("has seconds, and metres where the speed is known", () => {
    const scale = scaleOf({ ...EMPTY, series, speed_m_s: 2.5 }, 18)!;
    expect(scale.unit).toBe("s");
    expect(scale.from).toBeCloseTo(-0.9);
    expect(scale.to).toBeCloseTo(8.2);
    expect(at(scale, 9.25)).toBeCloseTo(3.7);
  });
  it("has no place for metres of a vehicle whose speed nobody knows", () => {
    const scale = scaleOf({ ...EMPTY, series }, 18)!;
    expect(at(scale, 9)).toBeNull();
    expect(together(scale, [mark("a", 9)])).toEqual([]);
  });
  it("counts metres where there is a picture alone", () => {
    const scale = scaleOf(EMPTY, 16)!;
    expect(scale).toEqual({ unit: "m", from: 0, to: 16, metres: 1 });
    expect(scaleOf(EMPTY, 0)).toBeNull();
  });
  it("makes one of what speaks of the same place", () => {
    const scale = scaleOf(EMPTY, 16)!;
    const found = together(scale, [mark("rpm", 9.25), mark("xray", 9.31), mark("xray", 3)]);
    expect(found).toEqual([
      { from: 9, to: 9.56, names: ["rpm", "xray"] },
      { from: 2.75, to: 3.25, names: ["xray"] },
    ]);
  });
});
