import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { dashboards, Loaded, where } from "./load";

/** Types of what a panel of each kind may hold; where there are none, the kind has no fields of its own. */
const kinds: Record<string, [module: string, name: string, hasFields: boolean]> = {
  bargauge: ["bargauge", "BarGauge", false],
  heatmap: ["heatmap", "Heatmap", true],
  stat: ["stat", "Stat", false],
  "state-timeline": ["statetimeline", "StateTimeline", true],
  "status-history": ["statushistory", "StatusHistory", true],
  table: ["table", "Table", true],
  timeseries: ["timeseries", "TimeSeries", true],
};

/** In JSON an enum's member is its value. */
const json = "type Json<T> = T extends string ? `${T}` : T extends object ? { [K in keyof T]: Json<T[K]> } : T;";

/** Grafana's own Panel names its options' type but does not use it. */
const panelOf = 'type PanelOf<O, F> = Json<Omit<Panel<O, F>, "options"> & { options: Partial<O> }>;';

function program({ file, text, panels }: Loaded): string {
  const imports = Object.values(kinds).map(
    ([module, name]) => `import type * as ${name} from "@grafana/schema/dist/esm/raw/composable/${module}/panelcfg/x/${name}PanelCfg_types.gen";`,
  );
  const typed = panels.map((panel, index) => {
    assert.ok(kinds[panel.type], `${where(file, panel)} is of unknown type ${panel.type}`);
    const [, name, hasFields] = kinds[panel.type] ?? ["", "", false];
    const fields = hasFields ? `Partial<${name}.FieldConfig>` : "Record<string, never>";
    return `export const panel${index}: PanelOf<${name}.Options, ${fields}> = ${JSON.stringify(panel)};`;
  });
  const head = ['import type { Dashboard, Panel } from "@grafana/schema";', ...imports, json, panelOf];
  return [...head, `export const dashboard: Json<Dashboard> = ${text};`, ...typed].join("\n");
}

/** What the compiler says of programs; nothing if they are right. */
function complaints(programs: Map<string, string>): string {
  const folder = mkdtempSync("node_modules/.cache/typed-"); // where imports find their packages
  try {
    programs.forEach((text, name) => writeFileSync(`${folder}/${name}`, text));
    const options = ["--noEmit", "--strict", "--skipLibCheck", "--module", "esnext", "--moduleResolution", "bundler", "--types", "node"];
    execFileSync(process.execPath, ["node_modules/typescript/bin/tsc", ...options, ...[...programs.keys()].map((name) => `${folder}/${name}`)]);
    return "";
  } catch (error) {
    return `${(error as { stdout?: Buffer }).stdout ?? error}`;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("every dashboard is of Grafana's types", () => {
  assert.equal(complaints(new Map(dashboards().map((loaded) => [loaded.file.replace("json", "ts"), program(loaded)]))), "");
});

test("what is not of Grafana's types is refused", () => {
  const [loaded] = dashboards();
  assert.ok(loaded);
  const wrong: [string, string, RegExp][] = [
    ['"mode":"thresholds"', '"mode":"rainbow"', /"rainbow"/],
    ['"showHeader":true', '"showHeader":"yes"', /'string' is not assignable to type 'boolean/],
    ['"schemaVersion": 42', '"schemaVersion": "42"', /'string' is not assignable to type 'number'/],
  ];
  const right = program(loaded);
  wrong.forEach(([part]) => assert.ok(right.includes(part), part));
  const said = complaints(new Map([["wrong.ts", wrong.reduce((text, [part, replacement]) => text.replace(part, replacement), right)]]));
  wrong.forEach(([, , message]) => assert.match(said, message));
});
