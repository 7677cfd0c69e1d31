import { DataqueryBuilder, PromQueryFormat } from "@grafana/grafana-foundation-sdk/prometheus";

/** Which series a panel looks at: label matchers with the dashboard's variables. */
export type Scope = readonly string[];

export const exporters: Scope = ['job=~"$job"', 'instance=~"$instance"'];
export const institutions: Scope = ['job=~"$job"', 'institution=~"$institution"'];
export const targets: Scope = [...institutions, 'kind=~"$kind"', 'target=~"$target"'];
export const brokers: Scope = [...institutions, 'kind="rabbitmq"', 'target=~"$target"'];

/** What tells targets apart. Aggregating by it makes one series of several exporters that probe the same. */
export const identity = "institution, kind, target";

/** How a series of a target is called in a legend. */
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

/** Alternatives; of two that have the same labels the first counts. */
export function either(...expressions: string[]): string {
  return expressions.join("\n  or ");
}

/** An expression over the time shown, one line for each series. */
export function range(expression: string, legend: string): DataqueryBuilder {
  return query(expression, PromQueryFormat.TimeSeries).range().legendFormat(legend);
}

/** An expression's value at the end of the time shown. Unlike the last value of a range it does not outlive its series. */
export function now(expression: string, legend: string): DataqueryBuilder {
  return query(expression, PromQueryFormat.TimeSeries).instant().legendFormat(legend);
}

/** An expression's value at the end of the time shown, with a column for each label. */
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
