import { describe, expect, it } from "vitest";
import { barM, bearing, wayOf } from "./way";

const row = (nats: number, facts: Record<string, unknown>) => ({
  source: "track", kind: "ground.track", explanation: "person", nats, age_s: 0, capped: false, facts,
});

describe("a way", () => {
  it("is the strongest that a track tells", () => {
    const weak = row(1, { place_m: [1, 2], speed_m_s: 9, direction: "south" });
    const strong = row(-3, { place_m: [60.5, 10], speed_m_s: 1.4, speed_sd_m_s: 0.2, direction: "northeast", near: "geo-1" });
    expect(wayOf([weak, row(9, { speed_m_s: 3 }), strong])).toEqual({
      eastM: 60.5, northM: 10, direction: "northeast", speed: 1.4, speedSd: 0.2, near: "geo-1",
    });
    expect(wayOf([row(9, {})])).toBeNull();
  });
  it("has a bearing by its word", () => {
    expect(bearing("north")).toBe(0);
    expect(bearing("south-west")).toBe(225);
    expect(bearing("along")).toBeNull();
  });
  it("has a scale of a round length", () => {
    expect(barM(300)).toBe(50);
    expect(barM(119)).toBe(20);
    expect(barM(55)).toBe(10);
  });
});
