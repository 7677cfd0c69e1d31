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
  description: "One target (or some): whether it works, why not, since when, how fast, and how long its key and certificate last.",
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

/** How many targets a panel of single values shows at most, the worst of those chosen. */
const few = 6;

function lowestFew(expression: string): string {
  return `bottomk(${few}, ${expression})`;
}

function state(): AnyPanel {
  return stat({
    title: "Last run",
    description: "Whether the last run worked; if not, the layer at fault. Of more than six targets the first row shows the six worst.",
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
      "Of the time shown, how much passed while the last run had worked. A failure counts until the next good run, so one failed run " +
      "of a target that runs every 15 minutes costs 15 minutes. What people mean by uptime; compare with reachability.",
    unit: "percentunit",
    noValue: "Nothing was measured in this time",
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
      "Of the runs in the time shown, how many worked. Every run counts the same, also those between two scrapes, which uptime cannot see. " +
      "The service level is reckoned with this one.",
    unit: "percentunit",
    noValue: "No runs in this time",
    size: [4, 4],
    decimals: 2,
    steps: shareLimits,
    queries: [now(lowestFew(availability(targets, identity)), name)],
  });
}

function keyAccepted(): AnyPanel {
  return stat({
    title: "Key",
    description: "What the gateway last said of the key. It stays when an answer proves nothing, as while the gateway is down.",
    unit: "none",
    noValue: "Not known: no answer has proved it, or the target has no API key",
    size: [4, 4],
    mappings: [words([1, "accepted", good], [0, "rejected", bad])],
    queries: [now(lowestFew(lowest(select(targets, "integra_key_accepted"))), name)],
  });
}

function keyEnds(): AnyPanel {
  return stat({
    title: "Key ends in",
    description: "Until the key ends, by the source that names the earliest date; \"ago\" means that it has ended. Under two hours: somebody has renewed it.",
    unit: "dtdurations",
    noValue: "never, or not known",
    size: [4, 4],
    decimals: 1,
    steps: keyLimits,
    queries: [now(lowestFew(keyLeft(targets)), name)],
  });
}

function certificateEnds(): AnyPanel {
  return stat({
    title: "Certificate ends in",
    description: "Until the first certificate of the chain that the server shows ends; \"ago\" means that it has ended. One server has one, whatever the number of targets.",
    unit: "dtdurations",
    noValue: "none was seen",
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
    description: "A strip for each reason that occurred, named by layer and reason, and one for the times when all went well. With several targets chosen the number says how many.",
    unit: "none",
    noValue: "Nothing was measured in this time",
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
    description: "The status of each run's answer. For kind auth, which sends no key and a wrong one, 401 is the right answer. A gap: there was no answer.",
    unit: "none",
    noValue: "No HTTP answer in this time",
    size: [12, 8],
    mappings: statusCodes,
    queries: [range(highest(select(targets, "integra_http_status_code")), name)],
  });
}

function failuresOverTime(): AnyPanel {
  const failed = `increase(${select(targets, "integra_probe_failure_reasons_total")}[$__rate_interval])`;
  const panel = columns({
    title: "Failed runs by reason",
    description: "How many runs failed in each step of time, by reason; from counters, so that also those between two scrapes are seen. The first failure of a kind since the exporter's start is missing.",
    unit: "none",
    noValue: "No run has failed since the exporter's start",
    size: [12, 8],
    decimals: 0,
    min: 0,
    queries: [range(`sum by (layer, reason) (${failed})`, "{{layer}}: {{reason}}")],
  });
  layers.forEach(({ name, colour }) => panel.overrideByRegexp(`/^${name}: /`, fixed(colour)));
  return panel.interval("1m");
}

const latencyLook = {
  description: "Where the durations of runs lie, failed ones too. A band that splits means two ways, as a cache or a retry; the scale is the histogram's.",
  unit: "s",
  noValue: "No runs in this time, or kind key",
  size: [12, 9] as [number, number],
};

function latency(): AnyPanel {
  const counts = `sum by (le) (increase(${select(targets, "integra_probe_duration_seconds_bucket")}[$__rate_interval]))`;
  return heatmap({ ...latencyLook, title: "Latency", queries: [buckets(counts)] }).interval("1m");
}

function nativeLatency(): AnyPanel {
  const counts = `sum(increase(${select(targets, "integra_probe_duration_seconds")}[$__rate_interval]))`;
  const noValue = "No native histogram: Prometheus 3 keeps it with scrape_native_histograms: true";
  return heatmap({ ...latencyLook, title: "Latency, fine", noValue, size: [24, 10], queries: [buckets(counts)] }).interval("1m");
}

function phaseTimes(): AnyPanel {
  return phaseStack(
    targets,
    httpPhases,
    "Where the last run's time went, in the order it happens. Processing is gateway and backend, the others are the network. With several targets it is their mean. RabbitMQ has a dashboard of its own.",
    [12, 9],
  );
}

function durations(): AnyPanel {
  return lines({
    title: "Duration of each run",
    description: "How long the last run took, at each moment.",
    unit: "s",
    noValue: "No runs in this time",
    size: [12, 8],
    min: 0,
    queries: [range(highest(select(targets, "integra_probe_last_duration_seconds")), name)],
  });
}

function quantiles(): AnyPanel {
  const worst = (share: number) => `max(${quantile(share, targets, "$__rate_interval")})`;
  const panel = lines({
    title: "Usual and slow runs",
    description: "The time that half of the runs, and that 95 % of them, stayed under; of several targets the slowest. A target that runs every 15 minutes needs a wide time range.",
    unit: "s",
    noValue: "No runs in this time",
    size: [12, 8],
    min: 0,
    queries: [range(worst(0.5), "half of the runs"), range(worst(0.95), "95 % of the runs")],
  });
  return paint(panel, [["half of the runs", colour.blue], ["95 % of the runs", colour.orange]]).interval("5m");
}

function keyLeftOverTime(): AnyPanel {
  return lines({
    title: "Time left of the key",
    description: "Falls as time passes, jumps up when a new key is put in place, and down to two hours when somebody renews it elsewhere.",
    unit: "dtdurations",
    noValue: "No date: never, or not known",
    size: [12, 8],
    decimals: 1,
    queries: [range(keyLeft(targets), name)],
  });
}

function rateLimits(): AnyPanel {
  const left = lowest(select(targets, "integra_http_rate_limit_remaining"), "policy");
  const limit = lowest(`${select(targets, "integra_http_rate_limit_limit")} > 0`, "policy");
  return lines({
    title: "Requests left of the limit",
    description: "Share of the requests allowed per window (rate limit, quota, spike arrest) that are left. Near 0 % the gateway soon answers 429: rate_limited.",
    unit: "percentunit",
    noValue: "The gateway names no limit",
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
    description: "Names, address and contact as configured, and how often it is probed. Secrets are not shown anywhere.",
    unit: "s",
    noValue: "No target is chosen",
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
    title: "Size of the answers",
    description: "After decompression, as far as it was read. An answer that shrinks to little is often an error page or an empty list.",
    unit: "bytes",
    noValue: "No HTTP answer in this time",
    size: [8, 8],
    min: 0,
    queries: [range(highest(select(targets, "integra_http_response_size_bytes")), name)],
  });
}
