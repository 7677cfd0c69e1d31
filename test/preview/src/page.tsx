import { dateTime, GrafanaTheme2, TimeRange } from "@grafana/data";
import { PanelChrome } from "@grafana/ui";
import { ComponentType } from "react";
import { Dashboard, Panel, Saved } from "./dashboard";
import { Drawing } from "./drawing";
import { HeatMap } from "./heat";
import { Bars, Stat } from "./numbers";
import { Lines, Rows } from "./plain";
import { StatusHistory, StateTimeline } from "./strips";

/** Grafana's grid. */
const columns = 24;
const gap = 8;
const cell = 30;

const drawn: Record<string, ComponentType<Drawing>> = {
  bargauge: Bars,
  heatmap: HeatMap,
  "state-timeline": StateTimeline,
  stat: Stat,
  "status-history": StatusHistory,
  table: Rows,
  timeseries: Lines,
};

export interface PageProps {
  dashboard: Dashboard;
  saved: Saved;
  drawings: Drawing[];
  theme: GrafanaTheme2;
  width: number;
}

/** A dashboard: its name and what was chosen, the panels, and how the picture came about. */
export function Page({ dashboard, saved, drawings, theme, width }: PageProps) {
  const bottom = Math.max(...drawings.map(({ panel: { gridPos } }) => gridPos.y + gridPos.h));
  return (
    <div style={{ width, padding: 16, background: theme.colors.background.canvas }}>
      <Head dashboard={dashboard} saved={saved} theme={theme} />
      <div style={{ position: "relative", height: pixels(bottom) }}>
        {drawings.map((drawing) => (
          <Place key={drawing.panel.id} {...drawing} />
        ))}
      </div>
      <p style={{ margin: "14px 0 0", fontSize: 13, color: theme.colors.text.secondary }}>
        Preview rendered with Grafana's components from real query results of a test run; not a Grafana server.
      </p>
    </div>
  );
}

function Head({ dashboard, saved, theme }: Pick<PageProps, "dashboard" | "saved" | "theme">) {
  const { border, background, text } = theme.colors;
  const box = { border: `1px solid ${border.medium}`, borderRadius: 4, padding: "4px 10px", background: background.primary };
  const minutes = Math.round((saved.end - saved.start) / 60);
  return (
    <div style={{ display: "flex", gap: 8, alignItems: "center", marginBottom: 14, fontSize: 14 }}>
      <span style={{ fontSize: 18, fontWeight: 500, marginRight: 16 }}>{dashboard.title}</span>
      {Object.entries(saved.variables ?? {}).map(([name, value]) => (
        <span key={name} style={box}>
          <span style={{ color: text.secondary, marginRight: 8 }}>{name[0].toUpperCase() + name.slice(1)}</span>
          {value}
        </span>
      ))}
      <span style={{ ...box, marginLeft: "auto" }}>Last {minutes} minutes</span>
    </div>
  );
}

function Place(drawing: Drawing) {
  const { panel, width } = drawing;
  const unit = (width + gap) / columns;
  const { x, y, w, h } = panel.gridPos;
  return (
    <div style={{ position: "absolute", left: x * unit, top: pixels(y) + (y > 0 ? gap : 0) }}>
      {panel.type === "row" ? <Title panel={panel} /> : <Framed {...drawing} width={w * unit - gap} height={pixels(h)} />}
    </div>
  );
}

function pixels(cells: number): number {
  return Math.max(0, cells * (cell + gap) - gap);
}

function Title({ panel }: { panel: Panel }) {
  return <h6 style={{ margin: "6px 4px", fontSize: 16, fontWeight: 500, whiteSpace: "nowrap" }}>{panel.title}</h6>;
}

function Framed(drawing: Drawing) {
  const { panel, data, theme } = drawing;
  const Content = drawn[panel.type];
  const nothing = panel.type !== "stat" && data.every(({ length }) => length === 0);
  return (
    <PanelChrome title={panel.title} description={panel.description} width={drawing.width} height={drawing.height} padding={panel.type === "table" ? "none" : "md"}>
      {(width, height) => (nothing ? <Nothing panel={panel} theme={theme} height={height} /> : <Content {...drawing} width={width} height={height} />)}
    </PanelChrome>
  );
}

function Nothing({ panel, theme, height }: { panel: Panel; theme: GrafanaTheme2; height: number }) {
  return (
    <div style={{ display: "grid", placeItems: "center", height, color: theme.colors.text.secondary, fontSize: 16 }}>
      {panel.fieldConfig.defaults.noValue ?? "No data"}
    </div>
  );
}

/** The time that a dashboard shows. */
export function timeRange({ start, end }: Saved): TimeRange {
  const [from, to] = [dateTime(1000 * start), dateTime(1000 * end)];
  return { from, to, raw: { from, to } };
}
