import { Board, carried, instance, job } from "./board";
import { AnyPanel, columns, lines, paint, stat, strips } from "./panel";
import { bad, colour, good, limits, neutral, warning, words } from "./palette";
import { exporters, now, range, rows, select } from "./query";
import { table } from "./table";

export const exporter = (): Board => ({
  uid: "integra-exporter",
  title: "Integra: exporter",
  description: "Whether the exporter itself works: on schedule, with spare capacity, and with the current configuration.",
  from: "now-6h",
  variables: [job, instance, ...carried],
  sections: [
    { title: "Is it up, and with the right configuration?", panels: [up(), reloaded(), oldest(), panics(), upOverTime(), versions()] },
    { title: "Does it keep up?", panels: [age(), lag(), skipped(), inFlight(), runs(), numbers()] },
    { title: "What does it need?", panels: [processor(), memory(), descriptors(), goroutines(), scrapes(), samples()] },
  ],
});

const replica = "{{instance}}";
const by = "max by (job, instance)";
const lastRun = select(exporters, "integra_probe_last_run_timestamp_seconds");
const interval = select(exporters, "integra_probe_interval_seconds");
const intervals = `${by} ((time() - ${lastRun}) / ${interval})`;
const reachable = `min by (job, instance) (${select(exporters, "up", 'target=""')})`;
const upWords = words([1, "up", good], [0, "down", bad]);
const ageLimits = limits(good, [2, warning], [3, bad]);

/** A rate of a counter of each exporter. */
function rate(metric: string, labels = "job, instance"): string {
  return `sum by (${labels}) (rate(${select(exporters, metric)}[$__rate_interval]))`;
}

function up(): AnyPanel {
  return stat({
    title: "Exporters",
    description: "Whether Prometheus reaches each exporter.",
    unit: "none",
    noValue: "None is scraped",
    size: [6, 4],
    steps: limits(bad, [1, good]),
    mappings: [upWords],
    queries: [now(reachable, replica)],
  });
}

function reloaded(): AnyPanel {
  return stat({
    title: "Configuration",
    description: "Whether the last attempt to load the configuration succeeded. If it was rejected, the previous configuration is still in use; check-config says what is wrong.",
    unit: "none",
    noValue: "None is scraped",
    size: [6, 4],
    steps: limits(bad, [1, good]),
    mappings: [words([1, "loaded", good], [0, "rejected", bad])],
    queries: [now(`min by (job, instance) (${select(exporters, "integra_exporter_config_last_reload_successful")})`, replica)],
  });
}

function oldest(): AnyPanel {
  return stat({
    title: "Oldest result, in intervals",
    description: "Age of the oldest result, in intervals of its target. About 1 is normal; from 3 on, results are stale even if the exporter is up.",
    unit: "none",
    noValue: "No target has run",
    size: [6, 4],
    decimals: 1,
    steps: ageLimits,
    queries: [now(intervals, replica)],
  });
}

function panics(): AnyPanel {
  return stat({
    title: "Panics",
    description: "Probes that ended in a panic in the selected time range: a bug in the exporter, with a stack trace in its log. Other targets are not affected.",
    unit: "none",
    noValue: "None is scraped",
    size: [6, 4],
    decimals: 0,
    steps: limits(good, [0.5, bad]),
    mappings: [words([0, "none", good])],
    queries: [now(`sum by (job, instance) (increase(${select(exporters, "integra_exporter_panics_total")}[$__range]))`, replica)],
  });
}

function upOverTime(): AnyPanel {
  return strips({
    title: "Up over time",
    description: "When Prometheus could reach each exporter. While an exporter was down, it did not probe its targets.",
    unit: "none",
    noValue: "None is scraped",
    size: [12, 6],
    mappings: [upWords],
    queries: [range(reachable, replica)],
  });
}

function versions(): AnyPanel {
  const loaded = `1000 * ${by} (${select(exporters, "integra_exporter_config_last_reload_success_timestamp_seconds")})`;
  const build = `max by (job, instance, version, revision, goversion) (${select(exporters, "integra_exporter_build_info")})`;
  const look = {
    title: "What is running",
    description: "Version of each exporter, and when it last loaded its configuration.",
    unit: "dateTimeFromNow",
    noValue: "None is scraped",
    size: [12, 6] as [number, number],
    queries: [rows(`${build}\n  * on (job, instance) group_left () (${loaded})`)],
  };
  return table(look, [
    { field: "instance", title: "Instance" },
    { field: "version", title: "Version", width: 110 },
    { field: "revision", title: "Revision", width: 95 },
    { field: "goversion", title: "Go", width: 90 },
    { field: "Value", title: "Configuration loaded", width: 185, unit: "dateTimeFromNow" },
  ], "job");
}

function age(): AnyPanel {
  return lines({
    title: "Oldest result, in intervals",
    description: "If a line rises above 3, the scheduler of that exporter has stopped or cannot keep up.",
    unit: "none",
    noValue: "No target has run",
    size: [8, 8],
    decimals: 1,
    min: 0,
    steps: ageLimits,
    queries: [range(intervals, replica)],
  });
}

function lag(): AnyPanel {
  const late = (share: number) => `max(histogram_quantile(${share}, ${rate("integra_exporter_schedule_lag_seconds_bucket", "job, instance, le")}))`;
  const panel = lines({
    title: "Schedule lag",
    description: "How much later than scheduled runs started, for the exporter with the largest lag. Milliseconds are normal; more means too little CPU or a concurrency limit that is too low.",
    unit: "s",
    noValue: "No runs in this time range",
    size: [8, 8],
    min: 0,
    queries: [range(late(0.5), "half of the runs"), range(late(0.99), "99 % of the runs")],
  });
  return paint(panel, [["half of the runs", colour.blue], ["99 % of the runs", colour.orange]]);
}

function skipped(): AnyPanel {
  const counted = `sum by (cause) (increase(${select(exporters, "integra_exporter_runs_skipped_total")}[$__rate_interval]))`;
  const panel = columns({
    title: "Skipped runs",
    description: "Overlap: the target's previous run had not ended; lower its timeout or lengthen its interval. Capacity: max_concurrent or max_concurrent_per_host was reached for too long.",
    unit: "none",
    noValue: "None is scraped",
    size: [8, 8],
    decimals: 0,
    min: 0,
    queries: [range(counted, "{{cause}}")],
  });
  return paint(panel, [["overlap", warning], ["capacity", bad]]).interval("1m").axisSoftMax(1);
}

function inFlight(): AnyPanel {
  return lines({
    title: "Probes in flight",
    description: "Probes in flight at each scrape. Close to max_concurrent, runs start late or are skipped.",
    unit: "none",
    noValue: "None is scraped",
    size: [8, 8],
    min: 0,
    queries: [range(`${by} (${select(exporters, "integra_exporter_probes_in_flight")})`, replica)],
  });
}

function runs(): AnyPanel {
  return lines({
    title: "Runs per second, by kind",
    description: "Runs of all exporters together. A drop means that a scheduler stopped, or that targets left the configuration.",
    unit: "ops",
    noValue: "No runs in this time range",
    size: [8, 8],
    min: 0,
    queries: [range(rate("integra_probe_runs_total", "kind"), "{{kind}}")],
  });
}

function numbers(): AnyPanel {
  const panel = lines({
    title: "Targets, by kind",
    description: "Targets in the current configuration of the exporter with the most targets.",
    unit: "none",
    noValue: "None is scraped",
    size: [8, 8],
    decimals: 0,
    min: 0,
    queries: [range(`max by (kind) (${select(exporters, "integra_exporter_targets")})`, "{{kind}}")],
  });
  return panel;
}

function resource(title: string, description: string, unit: string, expression: string): AnyPanel {
  return lines({
    title,
    description,
    unit,
    noValue: "None is scraped",
    size: [8, 8],
    min: 0,
    steps: limits(neutral),
    queries: [range(expression, replica)],
  });
}

function processor(): AnyPanel {
  return resource("Processor", "CPU use of the exporter; 100 % is one core.", "percentunit", rate("process_cpu_seconds_total"));
}

function memory(): AnyPanel {
  const resident = `${by} (${select(exporters, "process_resident_memory_bytes")})`;
  return resource("Memory", "Resident memory. It depends on the number of targets; a line that only rises is a leak.", "bytes", resident);
}

function descriptors(): AnyPanel {
  const share = `${by} (${select(exporters, "process_open_fds")} / ${select(exporters, "process_max_fds")})`;
  return resource("File descriptors", "File descriptors in use, as a share of the limit (ulimit -n). At 100 % probes fail with the reason resources.", "percentunit", share);
}

function goroutines(): AnyPanel {
  return resource("Goroutines", "The number depends on the probes in flight; a line that only rises is a leak.", "short", `${by} (${select(exporters, "go_goroutines")})`);
}

function scrapes(): AnyPanel {
  return resource("Scrape duration", "How long Prometheus takes to read the metrics; it must stay under its scrape_timeout.", "s", `${by} (${select(exporters, "scrape_duration_seconds")})`);
}

function samples(): AnyPanel {
  return resource("Samples per scrape", "How many samples an exporter exposes, which determines the cost in Prometheus.", "short", `${by} (${select(exporters, "scrape_samples_scraped")})`);
}
