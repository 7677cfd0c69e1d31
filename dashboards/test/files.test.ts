import assert from "node:assert/strict";
import { test } from "node:test";
import { files } from "../src/files";
import { dashboards } from "./load";

test("the committed files are what the sources say", () => {
  const generated = files().sort().map(([file, text]) => ({ file, text }));
  const committed = dashboards().map(({ file, text }) => ({ file, text }));
  assert.deepEqual(committed.map(({ file }) => file), generated.map(({ file }) => file));
  generated.forEach(({ file, text }, index) => {
    assert.ok(committed[index]?.text === text, `${file} is not what npm run dashboards writes`);
  });
});

test("generating twice gives the same bytes", () => {
  assert.deepEqual(files(), files());
});
