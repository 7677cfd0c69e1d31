import { readdirSync, readFileSync } from "node:fs";
import type { Dashboard, Panel } from "@grafana/schema";

/** A committed dashboard, as Grafana would read it. */
export interface Loaded {
  file: string;
  text: string;
  dashboard: Dashboard;
  panels: Panel[]; // without the rows that are their titles
}

export const folder = ".";

/** Every dashboard in the folder, which holds npm's files too. */
export function dashboards(): Loaded[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith(".json") && !file.startsWith("package"))
    .map((file) => {
      const text = readFileSync(`${folder}/${file}`, "utf8");
      const dashboard = JSON.parse(text) as Dashboard;
      return { file, text, dashboard, panels: everything(dashboard).filter((panel) => panel.type !== "row") };
    });
}

/** Rows and panels, also those within a folded row. */
export function everything(dashboard: Dashboard): Panel[] {
  return (dashboard.panels ?? []).flatMap((panel) => [panel as Panel, ...("panels" in panel ? (panel.panels as Panel[]) : [])]);
}

/** Every value of a key, however deep it lies. */
export function deep(value: unknown, key: string): unknown[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => [...(name === key ? [inner] : []), ...deep(inner, key)]);
}

/** A panel's place, for a message. */
export function where(file: string, panel: Panel): string {
  return `${file}: ${panel.title}`;
}

/** A panel's queries. */
export function queries(panel: Panel): Record<string, unknown>[] {
  return panel.targets ?? [];
}
