import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { dashboards, queries } from "./load";

/** The query behind the table of alerts. */
function query(): string {
  const panels = dashboards().flatMap(({ panels }) => panels.filter(({ title }) => title === "Firing alerts"));
  assert.equal(panels.length, 1);
  return panels.flatMap((panel) => queries(panel).map(({ expr }) => expr as string)).join();
}

/** Names in a matcher like alertname=~"A|B" or alertname = A. */
function names(text: string): string[] {
  return [...text.matchAll(/alertname *(?:=~?|!~) *"?([\w|]+)/g)].flatMap(([, found]) => found?.split("|") ?? []);
}

test("every alert that is named exists", () => {
  const rules = readFileSync("../alerts/integra.rules.yml", "utf8");
  const exact = names(query()).filter((name) => !["Integra", "IntegraErrorBudget"].includes(name)); // what begins so
  assert.ok(exact.length > 8);
  for (const name of exact) assert.ok(rules.includes(`alert: ${name}\n`), name);
});

test("a failing target's alert is left out for those that inhibit it in the Alertmanager", () => {
  const example = readFileSync("../alerts/alertmanager.example.yml", "utf8");
  const [, sources] = example.match(/severity = critical, 'alertname =~ "([\w|]+)"'\]\n +target_matchers: \['alertname =~ "IntegraTargetFailing/) ?? [];
  assert.ok(sources);
  assert.ok(query().includes(`alertname=~"${sources}"`), sources);
});
