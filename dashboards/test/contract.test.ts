import assert from "node:assert/strict";
import { test } from "node:test";
import { dashboards, deep, everything, queries, where } from "./load";

const uids: Record<string, string> = {
  "exporter.json": "integra-exporter",
  "keys.json": "integra-keys",
  "overview.json": "integra-overview",
  "rabbitmq.json": "integra-rabbitmq",
  "target.json": "integra-target",
};

test("uids, tag and titles", () => {
  assert.deepEqual(Object.fromEntries(dashboards().map(({ file, dashboard }) => [file, dashboard.uid])), uids);
  for (const { dashboard } of dashboards()) {
    assert.deepEqual(dashboard.tags, ["integra"]);
    assert.match(dashboard.title ?? "", /^Integra: /);
    assert.ok(dashboard.description);
    assert.equal(dashboard.id, undefined);
  }
});

test("variables", () => {
  for (const { file, dashboard } of dashboards()) {
    const list = dashboard.templating?.list ?? [];
    const names = list.map(({ name }) => name);
    for (const name of ["datasource", "job", "institution", "target"]) assert.ok(names.includes(name), `${file} lacks $${name}`);
    for (const variable of list.filter(({ type }) => type === "query")) {
      assert.ok(variable.multi && variable.includeAll, `${file}: $${variable.name} takes one value only`);
    }
    const used = [...JSON.stringify(dashboard).matchAll(/\$\{?([a-z]\w*)/g)].map(([, name]) => name);
    for (const name of used) assert.ok(names.includes(name ?? ""), `${file} uses $${name}, which it does not have`);
  }
});

test("dashboards lead to each other with time range and variables", () => {
  for (const { file, dashboard } of dashboards()) {
    const [link] = dashboard.links ?? [];
    assert.deepEqual(
      { type: link?.type, tags: link?.tags, includeVars: link?.includeVars, keepTime: link?.keepTime, placement: link?.placement },
      { type: "dashboards", tags: ["integra"], includeVars: true, keepTime: true, placement: undefined },
      file,
    );
  }
});

test("data links to a dashboard of ours keep data source, job and time range, and name existing variables", () => {
  const variables = new Map(dashboards().map(({ dashboard }) => [dashboard.uid, dashboard.templating?.list?.map(({ name }) => name) ?? []]));
  const urls = dashboards().flatMap(({ dashboard }) => deep(everything(dashboard), "url") as string[]);
  const ours = urls.filter((url) => url.startsWith("/d/"));
  assert.ok(ours.length > 5);
  for (const url of ours) {
    const uid = url.slice(3, url.indexOf("?"));
    for (const kept of ["${datasource:queryparam}", "${job:queryparam}", "${__url_time_range}"]) assert.ok(url.includes(kept), url);
    for (const [, name] of url.matchAll(/var-(\w+)=/g)) assert.ok(variables.get(uid)?.includes(name ?? ""), `${url}: ${name}`);
  }
});

test("a link from a table takes its values from columns that are there", () => {
  for (const { file, panels } of dashboards()) {
    for (const panel of panels.filter(({ type }) => type === "table")) {
      const columns = Object.keys((panel.transformations?.at(-1)?.options as { renameByName: object }).renameByName);
      const needed = (deep(panel.fieldConfig?.overrides, "url") as string[]).flatMap((url) => [...url.matchAll(/__data\.fields\.(\w+)/g)]);
      for (const [, field] of needed) {
        assert.ok(columns.includes(field ?? ""), `${where(file, panel)}: ${field}`);
      }
    }
  }
});

test("every panel explains itself and asks the chosen data source", () => {
  for (const { file, panels } of dashboards()) {
    assert.ok(panels.length >= 10, `${file} has ${panels.length} panels`);
    for (const panel of panels) {
      assert.match(panel.description ?? "", /^[A-Z].{20,}\.$/s, `description of ${where(file, panel)}`);
      assert.ok(panel.title && panel.fieldConfig?.defaults.noValue, `title and noValue of ${where(file, panel)}`);
      assert.ok(queries(panel).length > 0, where(file, panel));
      assert.deepEqual(panel.datasource, { type: "prometheus", uid: "${datasource}" }, where(file, panel));
    }
  }
});

test("every data source is the variable's", () => {
  for (const { file, dashboard } of dashboards()) {
    for (const found of deep(dashboard, "datasource")) {
      assert.deepEqual(found, { type: "prometheus", uid: "${datasource}" }, file);
    }
  }
});

test("ids and references are used once", () => {
  for (const { file, dashboard, panels } of dashboards()) {
    const ids = everything(dashboard).map(({ id }) => id);
    assert.ok(ids.every((id) => typeof id === "number" && id > 0), file);
    assert.equal(new Set(ids).size, ids.length, `${file}: ids ${ids}`);
    for (const panel of panels) {
      const references = queries(panel).map(({ refId }) => refId);
      assert.equal(new Set(references).size, references.length, where(file, panel));
    }
  }
});

test("panels lie within the grid and not upon each other", () => {
  for (const { file, dashboard } of dashboards()) {
    const taken = new Map<string, string>();
    for (const panel of everything(dashboard)) {
      const { x, y, w, h } = panel.gridPos ?? { x: -1, y: -1, w: 0, h: 0 };
      assert.ok(x >= 0 && w > 0 && h > 0 && x + w <= 24, where(file, panel));
      for (let cell = 0; cell < w * h; cell++) {
        const place = `${x + (cell % w)},${y + Math.floor(cell / w)}`;
        assert.equal(taken.get(place), undefined, `${where(file, panel)} lies upon another panel`);
        taken.set(place, panel.title ?? "");
      }
    }
  }
});
