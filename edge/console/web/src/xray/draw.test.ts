import { describe, expect, it } from "vitest";
import { attenuation, grey, PSEUDO, THICK, LINEAR, whole, zoomed } from "./draw";

describe("the grey scale", () => {
  it("is as wide as the window and centred on the level", () => {
    const look = { ...LINEAR, level: 0.4, window: 0.2 };
    expect(grey(0.3, look)).toBe(0);
    expect(Math.abs(grey(0.4, look) - 127.5)).toBeLessThan(1);
    expect(grey(0.5, look)).toBe(255);
    expect(grey(0.9, look)).toBe(255);
  });
  it("keeps thick dark with the logarithm, and turns over with the inverse", () => {
    expect(grey(6.5, THICK)).toBe(0);
    expect(grey(1.5, THICK)).toBe(255);
    expect(grey(6.5, { ...THICK, inverse: true })).toBe(255);
  });
  it("has a logarithm that is right to a hundredth", () => {
    for (const share of [1, 0.9, 0.31, 0.05, 0.01, 0.002, 1e-4])
      expect(Math.abs(attenuation(share) + Math.log(share))).toBeLessThan(0.01);
  });
  it("has 256 colours within bytes", () => {
    expect(PSEUDO.flat().every((one) => one >= 0 && one <= 255)).toBe(true);
    expect(PSEUDO).toHaveLength(256);
  });
});

describe("a view", () => {
  it("shows the whole picture in the middle", () => {
    const view = whole(1200, 4000, 1000, 600);
    expect(view.scale).toBe(0.25);
    expect(view.left).toBe(0);
    expect(view.top).toBe(-600);
  });
  it("keeps what is under the pointer where it is", () => {
    const before = whole(1200, 4000, 1000, 600);
    const after = zoomed(before, 3, 400, 300);
    expect(after.left + 400 / after.scale).toBeCloseTo(before.left + 400 / before.scale, 9);
    expect(after.top + 300 / after.scale).toBeCloseTo(before.top + 300 / before.scale, 9);
  });
});
