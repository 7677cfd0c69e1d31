import { layers } from "./palette";
import { either, highest, identity, lowest, Scope, select } from "./query";

/** For each target 0 if no run of the step failed, else the number of the layer at fault (palette.ts). */
export function verdict(scope: Scope): string {
  const window = "[$__rate_interval]";
  const worst = `min_over_time(${select(scope, "integra_probe_success")}${window})`;
  return verdictOf(worst, (layer) => `max_over_time(${select(scope, "integra_probe_failure_info", layer)}${window})`);
}

/** The same for the last run. */
export function verdictNow(scope: Scope): string {
  return verdictOf(select(scope, "integra_probe_success"), (layer) => select(scope, "integra_probe_failure_info", layer));
}

function verdictOf(success: string, failure: (matcher: string) => string): string {
  const faults = layers.map(({ name, code }) => `${code} * ${failure(`layer="${name}"`)}`);
  return highest(`\n  ${either(`1 - ${success}`, ...faults)}\n`);
}

/** Two expressions from one: the targets that meet a condition, and the others. Strips keep the order of their queries. */
export function firstThose(series: string, condition: string): [string, string] {
  const parted = (operator: string) => `${series}\n  ${operator} on (${identity}) (${condition})`;
  return [parted("and"), parted("unless")];
}

/** The targets with a failed run in the selected time range. */
export function failedOnce(scope: Scope): string {
  return `${lowest(`min_over_time(${select(scope, "integra_probe_success")}[$__range] @ end())`)} == 0`;
}

/** Failing targets, with the labels of the cause. */
export function causes(scope: Scope): string {
  return highest(select(scope, "integra_probe_failure_info"), "layer", "reason");
}

/**
 * What fails: cause, meaning and what to do as labels, when it last worked as value (in milliseconds; 0 is
 * never). The sentences come from a recording rule; without it the rows are there, but without sentences.
 */
export function failing(scope: Scope): string {
  const succeeded = highest(select(scope, "integra_probe_last_success_timestamp_seconds"));
  const never = `0 * ${highest(select(scope, "integra_probe_success"))}`;
  const cause = `${causes(scope)}\n  * on (${identity}) group_left () (1000 * ${succeeded} or ${never})`;
  const sentences = "max by (layer, reason, meaning, next) (integra:reason_info)";
  const explained = `${cause}\n  * on (layer, reason) group_left (meaning, next) ${sentences}`;
  return `  ${explained}\n  or on (${identity})\n  ${cause}`;
}

/** Joins labels of the info metric to the expression before; if two exporters have different configurations, it takes one row. */
export function withInfo(scope: Scope, ...labels: string[]): string {
  const info = highest(select(scope, "integra_target_info"), ...labels);
  return `  * on (${identity}) group_left (${labels.join(", ")}) topk by (${identity}) (1, ${info})`;
}

/** A quantile of the duration, from the classic histogram, else from the native one. */
export function quantile(share: number, scope: Scope, window: string): string {
  const classic = `sum by (${identity}, le) (rate(${select(scope, "integra_probe_duration_seconds_bucket")}[${window}]))`;
  const native = `sum by (${identity}) (rate(${select(scope, "integra_probe_duration_seconds")}[${window}]))`;
  return either(`histogram_quantile(${share}, ${classic}) > 0`, `histogram_quantile(${share}, ${native}) > 0`);
}

/** Share of runs that succeeded in the selected time range. */
export function availability(scope: Scope, by: string): string {
  return `1 - ${failureRatio(scope, by)}`;
}

/** Share of runs that failed in the selected time range. */
export function failureRatio(scope: Scope, by: string): string {
  const count = (metric: string) => `sum by (${by}) (increase(${select(scope, metric)}[$__range]))`;
  return `${count("integra_probe_failures_total")}\n  / (${count("integra_probe_runs_total")} > 0)`;
}

/** The allowed share of failures: 0.01 for an objective of 99 %. */
export const allowed = "on () group_left () (1 - max(integra:probe_objective:ratio))";

/** The phases of the last run, numbered so that they are stacked in their order; the mean of the targets. */
export function phases(scope: Scope, names: readonly string[]): string {
  const phase = (name: string) => `avg by (phase) (${highest(select(scope, "integra_probe_phase_duration_seconds", `phase="${name}"`), "phase")})`;
  return either(...names.map((name, index) => `label_replace(${phase(name)}, "phase", "${index + 1} ${name}", "", "")`));
}

/** Seconds until each target's key expires, according to the source with the earliest date. */
export function keyLeft(scope: Scope): string {
  return `${lowest(select(scope, "integra_key_expiry_timestamp_seconds"))} - time()`;
}

/** Seconds until the certificate of each address expires. */
export function certificateLeft(scope: Scope): string {
  return `${certificateEnd(scope)} - time()`;
}

/** The expiry of the certificate of each address: one value per server, whatever the number of targets. */
export function certificateEnd(scope: Scope): string {
  const end = select(scope, "integra_tls_certificate_expiry_timestamp_seconds");
  return `min by (institution, address) (${lowest(end)}\n${withInfo(scope, "address")})`;
}
