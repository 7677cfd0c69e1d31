import { DataqueryBuilder, PromQueryFormat } from "@grafana/grafana-foundation-sdk/prometheus";

/** Selects the series of a panel: label matchers with the dashboard's variables. */
export type Scope = readonly string[];

export const exporters: Scope = ['job=~"$job"', 'instance=~"$instance"'];
export const institutions: Scope = ['job=~"$job"', 'institution=~"$institution"'];
export const targets: Scope = [...institutions, 'kind=~"$kind"', 'target=~"$target"'];
export const brokers: Scope = [...institutions, 'kind="rabbitmq"', 'target=~"$target"'];

/** The identity of a target. Aggregating by it merges the series of exporters that probe the same target. */
export const identity = "institution, kind, target";

/** The name of a target's series in a legend. */
export const name = "{{institution}} / {{target}} ({{kind}})";

/** A metric's series in a scope, with further matchers. */
export function select(scope: Scope, metric: string, ...matchers: string[]): string {
  return `${metric}{${[...scope, ...matchers].join(",")}}`;
}

/** The highest value of each target, or of each target and further labels. */
export function highest(series: string, ...labels: string[]): string {
  return `max by (${[identity, ...labels].join(", ")}) (${series})`;
}

export function lowest(series: string, ...labels: string[]): string {
  return `min by (${[identity, ...labels].join(", ")}) (${series})`;
}

/** Alternatives; if two have the same labels, the first applies. */
export function either(...expressions: string[]): string {
  return expressions.join("\n  or ");
}

/** An expression over the selected time range, one line for each series. */
export function range(expression: string, legend: string): DataqueryBuilder {
  return query(expression, PromQueryFormat.TimeSeries).range().legendFormat(legend);
}

/** An expression's value at the end of the time range. Unlike the last value of a range, it disappears with its series. */
export function now(expression: string, legend: string): DataqueryBuilder {
  return query(expression, PromQueryFormat.TimeSeries).instant().legendFormat(legend);
}

/** An expression's value at the end of the time range, with a column for each label. */
export function rows(expression: string): DataqueryBuilder {
  return query(expression, PromQueryFormat.Table).instant();
}

/** Buckets over time. */
export function buckets(expression: string): DataqueryBuilder {
  return query(expression, PromQueryFormat.Heatmap).range().legendFormat("{{le}}");
}

function query(expression: string, format: PromQueryFormat): DataqueryBuilder {
  return new DataqueryBuilder().expr(expression).format(format).datasource(datasource);
}

export const datasource = { type: "prometheus", uid: "${datasource}" };
