import "./browser";
import assert from "node:assert/strict";
import { test } from "node:test";
import { FieldColorModeId, fieldReducers, getValueFormats, standardTransformers } from "@grafana/data";
import { dashboards, deep, where } from "./load";

const units = new Set(getValueFormats().flatMap(({ submenu }) => submenu.map(({ value }) => value)));
const reducers = new Set(fieldReducers.list().map(({ id }) => id as string));
const transformations = new Set(Object.values(standardTransformers).map(({ id }) => id as string));
const colourModes = new Set<string>(Object.values(FieldColorModeId));

test("Grafana's library knows what it is asked", () => {
  assert.ok(units.size > 200 && reducers.size > 10 && transformations.size > 20);
  assert.ok(!units.has("seconds") && !reducers.has("latest") && !transformations.has("sort"));
});

test("every panel has a unit, and every unit exists", () => {
  for (const { file, panels } of dashboards()) {
    for (const panel of panels) {
      const properties = (panel.fieldConfig?.overrides ?? []).flatMap(({ properties }) => properties);
      const used = [panel.fieldConfig?.defaults.unit, ...properties.filter(({ id }) => id === "unit").map(({ value }) => value)];
      for (const unit of used) assert.ok(units.has(unit as string), `${where(file, panel)}: unit ${unit}`);
    }
  }
});

test("every reducer exists", () => {
  const used = dashboards().flatMap(({ panels }) => deep(panels, "calcs").flat());
  assert.ok(used.length > 10);
  for (const reducer of used) assert.ok(reducers.has(reducer as string), `${reducer}`);
});

test("every transformation exists", () => {
  const used = dashboards().flatMap(({ panels }) => panels.flatMap((panel) => panel.transformations ?? []));
  assert.ok(used.length > 10);
  for (const { id } of used) assert.ok(transformations.has(id), id);
});

test("every way to colour exists", () => {
  const fields = dashboards().flatMap(({ panels }) => panels.map(({ fieldConfig }) => fieldConfig));
  const used = (deep(fields, "color") as { mode?: string }[]).flatMap(({ mode }) => mode ?? []);
  assert.ok(used.length > 50);
  for (const mode of used) assert.ok(colourModes.has(mode), mode);
});
