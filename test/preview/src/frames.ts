import { createDataFrame, DataFrame, Field, FieldType } from "@grafana/data";
import { Answer, Labels, Panel, Query, Saved, Series } from "./dashboard";

/** A panel's data, in the frames that Grafana's Prometheus data source makes of the same answers. */
export function frames(panel: Panel, saved: Saved): DataFrame[] {
  const tables = panel.targets?.filter(({ format }) => format === "table").length ?? 0;
  return (panel.targets ?? []).flatMap((query) => {
    const answer = find(panel, query, saved);
    if (query.format === "table") {
      return table(series(query, answer), tables > 1 ? `Value #${query.refId}` : "Value", query.refId);
    }
    const step = 1000 * (answer.step ?? saved.step);
    const all = series(query, answer).map((one) => line(one, legend(query, one.metric), query.refId, step));
    return query.format === "heatmap" ? layersOf(all) : all;
  });
}

/** The answer to a query. Panels are numbered in their order, so an older dashboard's answers would go astray. */
function find(panel: Panel, { refId, expr }: Query, saved: Saved): Answer {
  const answer = saved.panels[panel.id]?.[refId];
  if (!answer?.expr.startsWith(expr.split("$")[0])) {
    throw new Error(`${panel.title}: there is no answer to query ${refId}; collect the results again`);
  }
  return answer;
}

function series(query: Query, { range, instant }: Answer): Series[] {
  if (!query.instant) {
    return range?.result ?? [];
  }
  return (instant?.result ?? []).map(({ metric, value }) => ({ metric, values: [value] }));
}

function line({ metric, values }: Series, name: string, refId: string, interval: number): DataFrame {
  return createDataFrame({
    refId,
    fields: [
      { name: "Time", type: FieldType.time, config: { interval }, values: values.map(([seconds]) => 1000 * seconds) },
      { name: "Value", type: FieldType.number, labels: metric, config: { displayNameFromDS: name }, values: values.map(number) },
    ],
  });
}

function legend({ legendFormat }: Query, labels: Labels): string {
  return (legendFormat ?? "").replace(/\{\{\s*(\w+)\s*\}\}/g, (_, label) => labels[label] ?? "");
}

function number([, text]: [number, string]): number {
  return Number(text.replace("Inf", "Infinity"));
}

function table(all: Series[], value: string, refId: string): DataFrame[] {
  if (all.length === 0) {
    return [];
  }
  const labels = [...new Set(all.flatMap(({ metric }) => Object.keys(metric)))].sort();
  const last = all.map(({ values }) => values[values.length - 1]);
  const fields: Partial<Field>[] = [
    { name: "Time", type: FieldType.time, values: last.map(([seconds]) => 1000 * seconds) },
    ...labels.map((name) => ({ name, type: FieldType.string, values: all.map(({ metric }) => metric[name] ?? "") })),
    { name: value, type: FieldType.number, values: last.map(number) },
  ];
  return [createDataFrame({ refId, fields: fields as Field[] })];
}

/** Cumulative buckets, the smallest first, as what each holds by itself. */
function layersOf(buckets: DataFrame[]): DataFrame[] {
  const bound = (frame: DataFrame) => number([0, frame.fields[1].labels?.le ?? "NaN"]);
  const sorted = [...buckets].sort((a, b) => bound(a) - bound(b));
  return sorted.map((frame, index) => (index === 0 ? frame : difference(frame, sorted[index - 1])));
}

function difference(frame: DataFrame, lower: DataFrame): DataFrame {
  const [time, value] = frame.fields;
  const below = new Map(lower.fields[0].values.map((at, index) => [at, lower.fields[1].values[index]]));
  const values = value.values.map((count, index) => count - (below.get(time.values[index]) ?? 0));
  return { ...frame, fields: [time, { ...value, values }] };
}
