import assert from "node:assert/strict";
import { test } from "node:test";
import type { ValueMapping } from "@grafana/data";
import { colour } from "../src/palette";
import { dashboards, deep } from "./load";

const palette: string[] = Object.values(colour);

test("every colour that carries a meaning is of the palette", () => {
  for (const { file, panels } of dashboards()) {
    const fields = panels.map(({ fieldConfig }) => fieldConfig);
    const used = [...deep(fields, "color"), ...deep(fields, "fixedColor")].filter((found) => typeof found === "string");
    assert.ok(used.length > 10, file);
    for (const found of used) assert.ok(palette.includes(found), `${file}: ${found}`);
  }
});

test("every mapping carries a text beside its colour", () => {
  const mappings = dashboards().flatMap(({ panels }) => deep(panels, "mappings").flat()) as ValueMapping[];
  const overridden = dashboards().flatMap(({ panels }) => deep(panels, "properties").flat()) as { id: string; value: ValueMapping[] }[];
  const all = [...mappings, ...overridden.filter(({ id }) => id === "mappings").flatMap(({ value }) => value)];
  assert.ok(all.length > 20);
  for (const mapping of all) {
    const results = mapping.type === "value" ? Object.values(mapping.options) : [mapping.options.result];
    for (const { text, color } of results) assert.ok(text && color, JSON.stringify(mapping));
  }
});

test("the words of a short list have a colour each", () => {
  for (const { panels } of dashboards()) {
    for (const mapping of deep(panels, "mappings").flat() as ValueMapping[]) {
      if (mapping.type !== "value" || Object.keys(mapping.options).length > 8) continue;
      const colours = Object.values(mapping.options).map(({ color }) => color);
      assert.equal(new Set(colours).size, colours.length, JSON.stringify(mapping));
    }
  }
});
