// Sound by level, again and again until somebody answers; a browser allows it after a click alone.

import { signal } from "@preact/signals";

export const shift = signal(false);
export const muted = signal(false);

let context: AudioContext | null = null;

export function startShift(): void {
  context ??= new AudioContext();
  void context.resume();
  shift.value = true;
}

/** Tones of a level (Hz) and how often they come again (s): a pattern each, not just a pitch. */
export const SOUNDS: Record<number, { tones: readonly number[]; everyS: number }> = {
  4: { tones: [880, 660, 880, 660], everyS: 4 },
  3: { tones: [660, 660], everyS: 10 },
  2: { tones: [520], everyS: 30 },
};

let lastAt = 0;
let lastLevel = 0;

/** Called twice a second with the highest level that waits for an answer; 0: none does. */
export function ring(level: number, nowMs: number): void {
  const sound = SOUNDS[level];
  if (!sound || !shift.value || muted.value) {
    lastLevel = 0;
    return;
  }
  if (level <= lastLevel && nowMs - lastAt < sound.everyS * 1000) return;
  lastAt = nowMs;
  lastLevel = level;
  play(sound.tones);
}

function play(tones: readonly number[]): void {
  if (!context) return;
  tones.forEach((hertz, n) => {
    const at = context!.currentTime + n * 0.22;
    const oscillator = context!.createOscillator();
    const gain = context!.createGain();
    oscillator.frequency.value = hertz;
    gain.gain.setValueAtTime(0.0001, at);
    gain.gain.exponentialRampToValueAtTime(0.25, at + 0.02);
    gain.gain.exponentialRampToValueAtTime(0.0001, at + 0.18);
    oscillator.connect(gain).connect(context!.destination);
    oscillator.start(at);
    oscillator.stop(at + 0.2);
  });
}
