import { Board, institution, job, kind, target } from "./board";
import { availability, certificateLeft, keyLeft, quantile, verdictNow, withInfo } from "./expression";
import { AnyPanel, columns, heatmap, lines, paint, stat, strips } from "./panel";
import { bad, certificateLimits, colour, good, keyLimits, layers, limits, statusCodes, verdicts, warning, words } from "./palette";
import { buckets, highest, identity, lowest, name, now, range, rows, select, targets } from "./query";
import { failingTable, httpPhases, phaseStack } from "./shared";
import { table } from "./table";

export const targetBoard = (): Board => ({
  uid: "integra-target",
  title: "Integra: target",
  description: "One or several targets: whether they work, why not, since when, how fast, and when key and certificate expire.",
  from: "now-24h",
  variables: [job, institution, kind, target],
  sections: [
    { title: "Does it work, and if not, why?", panels: [state(), uptime(), reachability(), keyAccepted(), keyEnds(), certificateEnds(), failingTable(targets, "Why it fails", 5)] },
    { title: "What happened?", panels: [reasons(), codes(), failuresOverTime()] },
    { title: "How fast is it?", panels: [latency(), phaseTimes(), durations(), quantiles()] },
    { title: "Key, limits and whom to ask", panels: [keyLeftOverTime(), rateLimits(), who(), sizes()] },
    { title: "Latency from the native histogram", folded: true, panels: [nativeLatency()] },
  ],
});

/** The maximum number of targets in a panel of single values, the worst of those selected. */
const few = 6;

function lowestFew(expression: string): string {
  return `bottomk(${few}, ${expression})`;
}

function state(): AnyPanel {
  return stat({
    title: "Last run",
    description: "Whether the last run succeeded; if not, the layer at fault. With more than six targets, the first row shows the six worst.",
    unit: "none",
    noValue: "No run yet, or the exporter is not scraped",
    size: [4, 4],
    mappings: [verdicts],
    queries: [now(`topk(${few}, ${verdictNow(targets)})`, name)],
  });
}

const shareLimits = limits(bad, [0.99, warning], [0.999, good]);

function uptime(): AnyPanel {
  const over = (sum: string) => `sum by (${identity}) (${sum}_over_time(${select(targets, "integra_probe_success")}[$__range]))`;
  return stat({
    title: "Uptime",
    description:
      "Share of the selected time range in which the last run had succeeded. A failure counts until the next successful run, so one failed run " +
      "of a target that runs every 15 minutes counts for 15 minutes. Compare with reachability.",
    unit: "percentunit",
    noValue: "No data in this time range",
    size: [4, 4],
    decimals: 2,
    steps: shareLimits,
    queries: [now(lowestFew(`${over("sum")} / ${over("count")}`), name)],
  });
}

function reachability(): AnyPanel {
  return stat({
    title: "Reachability",
    description:
      "Share of the runs in the selected time range that succeeded. Every run counts the same, also those between two scrapes, which uptime misses. " +
      "The service level uses reachability.",
    unit: "percentunit",
    noValue: "No runs in this time range",
    size: [4, 4],
    decimals: 2,
    steps: shareLimits,
    queries: [now(lowestFew(availability(targets, identity)), name)],
  });
}

function keyAccepted(): AnyPanel {
  return stat({
    title: "Key",
    description: "Whether the gateway last accepted the key. A response that proves nothing, for example while the gateway is down, does not change it.",
    unit: "none",
    noValue: "Unknown: no response has proved it, or the target has no API key",
    size: [4, 4],
    mappings: [words([1, "accepted", good], [0, "rejected", bad])],
    queries: [now(lowestFew(lowest(select(targets, "integra_key_accepted"))), name)],
  });
}

function keyEnds(): AnyPanel {
  return stat({
    title: "Key expires in",
    description: "Time until the key expires, according to the source with the earliest date; \"ago\" means that it has expired. Under two hours means that somebody has renewed it.",
    unit: "dtdurations",
    noValue: "never, or unknown",
    size: [4, 4],
    decimals: 1,
    steps: keyLimits,
    queries: [now(lowestFew(keyLeft(targets)), name)],
  });
}

function certificateEnds(): AnyPanel {
  return stat({
    title: "Certificate expires in",
    description: "Time until the first certificate in the server's chain expires; \"ago\" means that it has expired. Each server has one value, whatever the number of targets.",
    unit: "dtdurations",
    noValue: "no certificate seen",
    size: [4, 4],
    decimals: 1,
    steps: certificateLimits,
    queries: [now(lowestFew(certificateLeft(targets)), "{{institution}} {{address}}")],
  });
}

function reasons(): AnyPanel {
  const failed = highest(`max_over_time(${select(targets, "integra_probe_failure_info")}[$__rate_interval])`, "layer", "reason");
  const worked = highest(`min_over_time(${select(targets, "integra_probe_success")}[$__rate_interval]) == 1`);
  const panel = strips({
    title: "Reasons over time",
    description: "One strip per reason that occurred, named by layer and reason, and one for successful runs. With several targets, the number says how many targets.",
    unit: "none",
    noValue: "No data in this time range",
    size: [24, 8],
    queries: [range(`count(${worked})`, "works"), range(`sum by (layer, reason) (${failed})`, "{{layer}}: {{reason}}")],
  });
  layers.forEach(({ name, colour }) => panel.overrideByRegexp(`/^${name}: /`, fixed(colour)));
  return panel.interval("1m").overrideByName("works", fixed(good));
}

function fixed(fixedColor: string) {
  return [{ id: "color", value: { mode: "fixed", fixedColor } }];
}

function codes(): AnyPanel {
  return strips({
    title: "HTTP status codes",
    description: "The status of each run's response. For kind auth, which sends no key and a wrong one, 401 is correct. A gap means that there was no response.",
    unit: "none",
    noValue: "No HTTP response in this time range",
    size: [12, 8],
    mappings: statusCodes,
    queries: [range(highest(select(targets, "integra_http_status_code")), name)],
  });
}

function failuresOverTime(): AnyPanel {
  const failed = `increase(${select(targets, "integra_probe_failure_reasons_total")}[$__rate_interval])`;
  const panel = columns({
    title: "Failed runs by reason",
    description: "How many runs failed in each time step, by reason. The counters include runs between two scrapes, but not the first failure with each reason since the exporter started.",
    unit: "none",
    noValue: "No run has failed since the exporter started",
    size: [12, 8],
    decimals: 0,
    min: 0,
    queries: [range(`sum by (layer, reason) (${failed})`, "{{layer}}: {{reason}}")],
  });
  layers.forEach(({ name, colour }) => panel.overrideByRegexp(`/^${name}: /`, fixed(colour)));
  return panel.interval("1m");
}

const latencyLook = {
  description: "The distribution of durations, including failed runs. A band that splits means two code paths, such as a cache or a retry. The scale is that of the histogram.",
  unit: "s",
  noValue: "No runs in this time range, or kind key",
  size: [12, 9] as [number, number],
};

function latency(): AnyPanel {
  const counts = `sum by (le) (increase(${select(targets, "integra_probe_duration_seconds_bucket")}[$__rate_interval]))`;
  return heatmap({ ...latencyLook, title: "Latency", queries: [buckets(counts)] }).interval("1m");
}

function nativeLatency(): AnyPanel {
  const counts = `sum(increase(${select(targets, "integra_probe_duration_seconds")}[$__rate_interval]))`;
  const noValue = "No native histogram: Prometheus 3 stores it with scrape_native_histograms: true";
  return heatmap({ ...latencyLook, title: "Latency, fine", noValue, size: [24, 10], queries: [buckets(counts)] }).interval("1m");
}

function phaseTimes(): AnyPanel {
  return phaseStack(
    targets,
    httpPhases,
    "The phases of the last run, in their order. Processing is gateway and backend, the others are the network. With several targets, the panel shows their mean. RabbitMQ has its own dashboard.",
    [12, 9],
  );
}

function durations(): AnyPanel {
  return lines({
    title: "Duration of each run",
    description: "The duration of the last run, over time.",
    unit: "s",
    noValue: "No runs in this time range",
    size: [12, 8],
    min: 0,
    queries: [range(highest(select(targets, "integra_probe_last_duration_seconds")), name)],
  });
}

function quantiles(): AnyPanel {
  const worst = (share: number) => `max(${quantile(share, targets, "$__rate_interval")})`;
  const panel = lines({
    title: "Median and 95th percentile",
    description: "The median and the 95th percentile of the duration; of several targets the slowest. A target that runs every 15 minutes needs a long time range.",
    unit: "s",
    noValue: "No runs in this time range",
    size: [12, 8],
    min: 0,
    queries: [range(worst(0.5), "half of the runs"), range(worst(0.95), "95 % of the runs")],
  });
  return paint(panel, [["half of the runs", colour.blue], ["95 % of the runs", colour.orange]]).interval("5m");
}

function keyLeftOverTime(): AnyPanel {
  return lines({
    title: "Time until the key expires",
    description: "The time until the key expires. It jumps up when a new key is in place, and drops to two hours when somebody renews the key and the exporter still uses the old one.",
    unit: "dtdurations",
    noValue: "No date: never, or unknown",
    size: [12, 8],
    decimals: 1,
    queries: [range(keyLeft(targets), name)],
  });
}

function rateLimits(): AnyPanel {
  const left = lowest(select(targets, "integra_http_rate_limit_remaining"), "policy");
  const limit = lowest(`${select(targets, "integra_http_rate_limit_limit")} > 0`, "policy");
  return lines({
    title: "Remaining requests of the limit",
    description: "Share of the allowed requests per window (rate limit, quota, spike arrest) that is left. Near 0 % the gateway soon responds with 429: rate_limited.",
    unit: "percentunit",
    noValue: "The gateway reports no limit",
    size: [12, 8],
    min: 0,
    max: 1,
    queries: [range(`${left} / ${limit}`, `${name} {{policy}}`)],
  });
}

function who(): AnyPanel {
  const labels = ["institution_title", "title", "address", "contact"];
  const interval = highest(select(targets, "integra_probe_interval_seconds"));
  const look = {
    title: "What it is, and whom to ask",
    description: "Names, address and contact as configured, and the interval. Secrets are not shown anywhere.",
    unit: "s",
    noValue: "No target is selected",
    size: [16, 8] as [number, number],
    queries: [rows(`${interval}\n${withInfo(targets, ...labels)}`)],
  };
  return table(look, [
    { field: "institution_title", title: "Institution" },
    { field: "title", title: "Title" },
    { field: "kind", title: "Kind", width: 90 },
    { field: "address", title: "Address" },
    { field: "contact", title: "Contact" },
    { field: "Value", title: "Probed every", unit: "s", width: 120 },
  ], "institution", "target");
}

function sizes(): AnyPanel {
  return lines({
    title: "Response size",
    description: "Size after decompression, as far as the response was read. A response that becomes very small is often an error page or an empty list.",
    unit: "bytes",
    noValue: "No HTTP response in this time range",
    size: [8, 8],
    min: 0,
    queries: [range(highest(select(targets, "integra_http_response_size_bytes")), name)],
  });
}
