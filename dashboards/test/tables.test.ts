import "./browser";
import assert from "node:assert/strict";
import { test } from "node:test";
import { DataFrame, FieldType, getFieldDisplayName, standardTransformers, toDataFrame } from "@grafana/data";
import type { Panel } from "@grafana/schema";
import { firstValueFrom, of } from "rxjs";
import { dashboards, queries, where } from "./load";

interface Organize {
  renameByName: Record<string, string>;
  excludeByName: Record<string, boolean>;
}

const context = { interpolate: (text: string) => text };

/** A panel's frames as they reach its table. */
async function transformed(panel: Panel, frames: DataFrame[]): Promise<DataFrame[]> {
  for (const { id, options } of panel.transformations ?? []) {
    const transformer = Object.values(standardTransformers).find((known) => known.id === id);
    assert.ok(transformer, id);
    frames = await firstValueFrom(of(frames).pipe(transformer.operator(options as never, context)));
  }
  return frames;
}

/** Two rows of every query, as the data source would return them: the labels in alphabetical order, then the value. */
function answers(panel: Panel, { renameByName, excludeByName }: Organize): DataFrame[] {
  const fields = [...Object.keys(renameByName), ...Object.keys(excludeByName)];
  const labels = fields.filter((field) => field !== "Time" && !field.startsWith("Value")).sort();
  return queries(panel).map(({ refId }, query, all) =>
    toDataFrame({
      fields: [
        { name: "Time", type: FieldType.time, values: [1, 1] },
        ...labels.map((name) => ({ name, type: FieldType.string, values: [`${name} 1`, `${name} 2`] })),
        { name: all.length > 1 ? `Value #${refId}` : "Value", type: FieldType.number, values: [query, query + 10] },
      ],
    }),
  );
}

test("tables show their columns in order, and one row for what several queries say of one thing", async () => {
  const tables = dashboards().flatMap(({ file, panels }) => panels.filter(({ type }) => type === "table").map((panel) => ({ file, panel })));
  assert.ok(tables.length > 8);
  for (const { file, panel } of tables) {
    const organize = panel.transformations?.at(-1)?.options as Organize;
    const [frame, ...more] = await transformed(panel, answers(panel, organize));
    assert.ok(frame && more.length === 0 && frame.length === 2, where(file, panel));
    assert.deepEqual(frame.fields.map((field) => getFieldDisplayName(field, frame)), Object.values(organize.renameByName), where(file, panel));
    assert.ok(frame.fields.every(({ values }) => values.every((value) => value !== undefined)), where(file, panel));
  }
});

test("every column of a table has its own rules, and every rule its column", () => {
  for (const { file, panels } of dashboards()) {
    for (const panel of panels.filter(({ type }) => type === "table")) {
      const titles = Object.values((panel.transformations?.at(-1)?.options as Organize).renameByName);
      const ruled = (panel.fieldConfig?.overrides ?? []).map(({ matcher }) => matcher.options);
      assert.deepEqual(ruled, titles, where(file, panel));
    }
  }
});

test("a column that wraps does so in Grafana before and since 13", () => {
  const columns = dashboards().flatMap(({ panels }) => panels.filter(({ type }) => type === "table").flatMap(({ fieldConfig }) => fieldConfig?.overrides ?? []));
  const value = (column: (typeof columns)[number], id: string) => column.properties.find((property) => property.id === id)?.value as unknown;
  const wrapping = columns.filter((column) => value(column, "custom.wrapText") === true);
  assert.ok(wrapping.length >= 6);
  assert.deepEqual(wrapping, columns.filter((column) => (value(column, "custom.cellOptions") as { wrapText?: boolean } | undefined)?.wrapText));
});
