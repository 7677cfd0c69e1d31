import { DataFrame, getValueFormat, formattedValueToString, GrafanaTheme2 } from "@grafana/data";
import { interpolateCividis } from "d3-scale-chromatic";
import { Box, Boxes } from "./boxes";
import { Drawing } from "./drawing";

const legendHeight = 30;

/** How many runs took how long, over time. */
export function HeatMap(drawing: Drawing) {
  const { data, panel, theme, height } = drawing;
  const least = panel.options.filterValues.le;
  const counts = data.flatMap((frame) => frame.fields[1].values.filter((count) => count > least));
  const [low, high] = [Math.min(...counts), Math.max(...counts)];
  const share = (count: number) => (high > low ? (count - low) / (high - low) : 1);
  const boxes = data.flatMap((frame, index) => cells(frame, data.length - 1 - index, least, (count) => hex(share(count))));
  const ticks = data.map((frame, index) => ({ at: data.length - 1 - index, label: bound(frame, panel.options.yAxis.unit) }));
  return (
    <>
      <Boxes {...drawing} height={height - legendHeight} rows={data.length} boxes={boxes} ticks={ticks} fill={{ width: 0.94, height: 0.94, opacity: 1, line: 0 }} align="center" />
      <Scale low={low} high={high} theme={theme} />
    </>
  );
}

function cells(frame: DataFrame, row: number, least: number, colour: (count: number) => string): Box[] {
  const [time, value] = frame.fields;
  const step = time.config.interval ?? 0;
  return value.values
    .map((count, index) => ({ count, to: time.values[index] }))
    .filter(({ count }) => count > least)
    .map(({ count, to }) => ({ row, from: to - step, to, colour: colour(count) }));
}

function bound(frame: DataFrame, unit: string): string {
  const le = Number(frame.fields[1].labels?.le?.replace("Inf", "Infinity"));
  return Number.isFinite(le) ? formattedValueToString(getValueFormat(unit)(le)) : "more";
}

/** d3 answers with rgb(r, g, b). */
function hex(share: number): string {
  const parts = interpolateCividis(share).match(/\d+/g) ?? [];
  return `#${parts.map((part) => Number(part).toString(16).padStart(2, "0")).join("")}`;
}

function Scale({ low, high, theme }: { low: number; high: number; theme: GrafanaTheme2 }) {
  const stops = Array.from({ length: 11 }, (_, index) => hex(index / 10)).join(", ");
  return (
    <div style={{ display: "flex", gap: 8, alignItems: "center", height: legendHeight, fontSize: 12, color: theme.colors.text.secondary }}>
      {low.toFixed(1)}
      <div style={{ width: 260, height: 10, background: `linear-gradient(90deg, ${stops})` }} />
      {high.toFixed(1)} runs
    </div>
  );
}
