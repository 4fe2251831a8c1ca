import { describe, expect, it } from "vitest";
import { behind, EVERYTHING, isOpen, ordered, visible, extended } from "./order";
import type { Stage, Summary } from "./types";

function alert(n: number, changes: Partial<Summary> = {}): Summary {
  return {
    id: `A${n}`, seq: n, first_seq: n, epoch: "E", revision: 1, event: "PERSON", level: 3,
    probability: 0.9, place: "nb-01", direction: null, exercise: false, state: "Alert",
    onset: "2026-11-23T08:00:00.000000Z", updated: "2026-11-23T08:00:00.000000Z",
    committed_utc_ns: 0, evidence: 0, group: null, members: 0, shelved_by: null, withheld: [],
    words: {
      "en-US": { headline: "Person on foot", instruction: "", reasons: [] },
      "es-MX": { headline: "Persona a pie", instruction: "", reasons: [] },
    },
    ...changes,
  };
}

const none = (): Stage => "new";

describe("the order of the list", () => {
  it("has what nobody has answered first, newest first in both parts", () => {
    const stages: Record<string, Stage> = { A2: "acknowledged", A4: "adjudicated" };
    const stageOf = (id: string) => stages[id] ?? "new";
    const all = [1, 2, 3, 4, 5].map((n) => alert(n));
    expect(ordered(all, stageOf)).toEqual(["A5", "A3", "A1", "A4", "A2"]);
  });
  it("asks for no answer to what is over, for the record only, or told by its group", () => {
    expect(isOpen(alert(1, { state: "Cancel" }), "new")).toBe(false);
    expect(isOpen(alert(1, { level: 1 }), "new")).toBe(false);
    expect(isOpen(alert(1, { group: "A9" }), "new")).toBe(false);
    expect(isOpen(alert(1), "acknowledged")).toBe(false);
    expect(isOpen(alert(1), "new")).toBe(true);
  });
  it("keeps a place by the first revision however often an alert is told again", () => {
    const all = [alert(1, { seq: 9, revision: 4 }), alert(2)];
    expect(ordered(all, none)).toEqual(["A2", "A1"]);
  });
  it("is filtered by level, place, words of either language, and what is open", () => {
    const all = [alert(1), alert(2, { level: 2, place: "east" }), alert(3, { state: "Cancel" })];
    expect(ordered(all, none, { ...EVERYTHING, level: 3 })).toEqual(["A1", "A3"]);
    expect(ordered(all, none, { ...EVERYTHING, place: "east" })).toEqual(["A2"]);
    expect(ordered(all, none, { ...EVERYTHING, open: true })).toEqual(["A2", "A1"]);
    expect(ordered(all, none, { ...EVERYTHING, text: "persona A p" })).toHaveLength(3);
    expect(ordered(all, none, { ...EVERYTHING, text: "camion" })).toEqual([]);
  });
  it("counts what is not shown yet", () => {
    expect(behind(["A1", "A2"], ["A3", "A1", "A4", "A2"])).toBe(2);
  });
});

describe("what is drawn of a long list", () => {
  it("is what is seen and a little more, never outside of it", () => {
    expect(visible(0, 500, 100, 10_000)).toEqual({ first: 0, count: 11 });
    expect(visible(100_000, 500, 100, 10_000)).toEqual({ first: 994, count: 17 });
    expect(visible(999_500, 500, 100, 10_000)).toEqual({ first: 9989, count: 11 });
    expect(visible(5_000, 500, 100, 3)).toEqual({ first: 3, count: 0 });
    expect(visible(0, 500, 100, 0)).toEqual({ first: 0, count: 0 });
  });
});

describe("older pages", () => {
  const seqs = new Map([["a", 9], ["b", 8], ["c", 3], ["d", 2], ["new", 12]]);
  const seqOf = (id: string) => seqs.get(id)!;
  it("go below what is shown, and nothing moves", () => {
    expect(extended(["a", "b"], ["new", "c", "a", "b", "d"], seqOf)).toEqual(["a", "b", "c", "d"]);
  });
  it("leave the very list where there are none", () => {
    const shown = ["a", "b"];
    expect(extended(shown, ["new", "a", "b"], seqOf)).toBe(shown);
  });
});
