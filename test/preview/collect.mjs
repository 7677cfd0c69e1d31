// Asks a Prometheus every question of every dashboard, as Grafana would, and
// saves the answers for the pictures: a file per dashboard, in it the answers by
// panel id and refId. See README.md.
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { choose, expand } from "./variables.mjs";

const { values: options } = parseArgs({
  options: {
    prometheus: { type: "string", default: "http://127.0.0.1:9090" },
    minutes: { type: "string", default: "60" }, // the time shown
    end: { type: "string", default: "" }, // as 2026-11-22T12:00:00Z; now
    scrape: { type: "string", default: "15" }, // seconds; the data source's scrape interval
    target: { type: "string", default: "" }, // institution/kind/target: what the dashboard of a target shows
    out: { type: "string", default: "results" },
  },
});

const dashboards = join(import.meta.dirname, "../../dashboards");
const scrape = Number(options.scrape);
const end = Math.floor((options.end ? Date.parse(options.end) : Date.now()) / 1000);
const start = end - 60 * Number(options.minutes);
const spans = { s: 1, m: 60, h: 3600, d: 86400 };

for (const file of (await readdir(dashboards)).filter((name) => name.endsWith(".json") && !name.startsWith("package"))) {
  const dashboard = JSON.parse(await readFile(join(dashboards, file), "utf8"));
  const saved = await collect(file, dashboard);
  await mkdir(options.out, { recursive: true });
  await writeFile(join(options.out, file), JSON.stringify(saved));
}

async function collect(file, dashboard) {
  const variables = await choose(dashboard, wanted(dashboard), ask);
  const panels = {};
  for (const panel of dashboard.panels.filter(({ targets }) => targets)) {
    panels[panel.id] = await answers(panel, variables);
  }
  const shown = Object.fromEntries(Object.entries(variables).map(([name, { text }]) => [name, text]));
  return { dashboard: file, start, end, step: scrape, variables: shown, panels };
}

// One target is what a reader opens its dashboard for; the others show all.
function wanted(dashboard) {
  const parts = options.target.split("/");
  if (dashboard.uid !== "integra-target" || parts.length !== 3) {
    return {};
  }
  return { institution: parts[0], kind: parts[1], target: parts[2] };
}

async function answers(panel, variables) {
  const step = steps(panel);
  const scope = { ...variables, ...ownVariables(panel, step) };
  const found = {};
  for (const { refId, expr, instant } of panel.targets) {
    found[refId] = await answer(expand(expr, scope), instant, step);
  }
  return found;
}

async function answer(expr, instant, step) {
  if (instant) {
    return { expr, instant: await ask("query", { query: expr, time: end }) };
  }
  const aligned = (time) => Math.floor(time / step) * step;
  const range = await ask("query_range", { query: expr, start: aligned(start), end: aligned(end), step });
  return { expr, step, range };
}

// As many points as the panel has pixels or wants, but none between two scrapes.
function steps(panel) {
  const points = panel.maxDataPoints ?? Math.round((panel.gridPos.w / 24) * 1400);
  const least = panel.interval ? seconds(panel.interval) : scrape;
  return Math.max(least, Math.ceil((end - start) / points));
}

// Grafana's own, under their names there.
function ownVariables(panel, step) {
  const range = panel.timeFrom ? seconds(panel.timeFrom) : end - start;
  const texts = { __interval: `${step}s`, __rate_interval: `${Math.max(step + scrape, 4 * scrape)}s`, __range: `${range}s`, __range_s: `${range}` };
  return Object.fromEntries(Object.entries(texts).map(([name, value]) => [name, { value }]));
}

function seconds(duration) {
  const [, number, unit] = duration.match(/^(\d+)([smhd])$/);
  return Number(number) * spans[unit];
}

async function ask(path, parameters) {
  const response = await fetch(`${options.prometheus}/api/v1/${path}?${new URLSearchParams(parameters)}`);
  const { status, error, data } = await response.json();
  if (status !== "success") {
    throw new Error(`${error}: ${parameters.query ?? path}`);
  }
  return data;
}
