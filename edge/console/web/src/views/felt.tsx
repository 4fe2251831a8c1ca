// What one ground sensor felt at its zone's last alert: waveform, spectrogram, footfalls.

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import * as api from "../api";
import { scaleOf } from "../axis/scale";
import { alerts, site } from "../state";
import type { Axis, Trace } from "../types";
import { word } from "../words";
import { Ground } from "./axis";

const LOOKED_AT = 5;

export function Felt({ sensor }: { sensor: string }) {
  const found = useSignal<{ axis: Axis; trace: Trace } | null>(null);
  const looked = useSignal(false);
  const width = useSignal(0);
  const box = useRef<HTMLDivElement>(null);
  const place = site.value?.layout.sensors.find((one) => one.id === sensor)?.place ?? "";
  useEffect(() => {
    const last = [...alerts.value.values()]
      .filter((one) => one.place === place && one.evidence > 0)
      .sort((a, b) => b.seq - a.seq)
      .slice(0, LOOKED_AT);
    void (async () => {
      for (const one of last) {
        const axis = await api.axis(one.id).catch(() => null);
        const trace = axis?.traces.find((each) => each.sensor === sensor);
        if (axis && trace) {
          found.value = { axis: { ...axis, series: [], traces: [trace], marks: [] }, trace };
          break;
        }
      }
      looked.value = true;
    })();
  }, [sensor]);
  useEffect(() => {
    const watch = new ResizeObserver(([entry]) => (width.value = Math.round(entry!.contentRect.width)));
    watch.observe(box.current!);
    return () => watch.disconnect();
  }, []);
  const shown = found.value;
  const scale = shown && scaleOf(shown.axis, 0);
  return (
    <div class="axis" ref={box}>
      {shown && scale && width.value > 0 && <Ground one={shown.trace} scale={scale} width={width.value} />}
      {looked.value && !shown && <p class="quiet">{word("track", "none_yet")}</p>}
    </div>
  );
}
