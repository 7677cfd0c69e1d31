import { alerts } from "./alerts";
import { Board, institution, job, kind, target } from "./board";
import { allowed, availability, causes, certificateLeft, failedOnce, failureRatio, firstThose, keyLeft, quantile, verdict } from "./expression";
import { rowToTarget, seriesToTarget } from "./link";
import { AnyPanel, bars, boxes, columns, paint, stat } from "./panel";
import { bad, good, keyLimits, layers, limits, neutral, notANumber, verdicts, warning, words } from "./palette";
import { highest, institutions, name, now, range, rows, select, targets } from "./query";
import { failingTable } from "./shared";
import { table } from "./table";

export const overview = (): Board => ({
  uid: "integra-overview",
  title: "Integra: overview",
  description: "What fails at all institutions, and which layer is at fault.",
  from: "now-6h",
  variables: [job, institution, kind, target],
  sections: [
    { title: "What is broken, and whose fault is it?", panels: [failingNow(), atFault(), notProbed(), exporters(), failingTable(targets, "Failing now", 14), alerts()] },
    { title: "Since when, and who else?", panels: [matrix(), layersOverTime(), reasonsNow()] },
    { title: "What comes next?", panels: [endsNext(), slowest()] },
    { title: "Service level, 30 days", panels: [serviceLevel()] },
  ],
});

function failingNow(): AnyPanel {
  return stat({
    title: "Failing targets",
    description: "How many targets failed in their last run. Each API, negative test, RabbitMQ application and watched key is a target.",
    unit: "none",
    noValue: "No data: is the exporter scraped?",
    size: [4, 4],
    steps: limits(good, [1, bad]),
    mappings: [words([0, "none", good])],
    queries: [now(`sum(${highest(`${select(targets, "integra_probe_success")} == bool 0`)})`, "failing")],
  });
}

function atFault(): AnyPanel {
  const panel = stat({
    title: "At fault: failing targets by layer",
    description:
      "The network, the gateway, the key that was sent, the backend behind the gateway, the message broker, or the exporter itself. " +
      "The panel shows only layers with failing targets.",
    unit: "none",
    noValue: "No layer is at fault",
    size: [12, 4],
    queries: [now(byLayer, "{{layer}}")],
  });
  return paintLayers(panel);
}

const byLayer = `sum by (layer) (${causesByLayer()})`;

function causesByLayer(): string {
  return highest(select(targets, "integra_probe_failure_info"), "layer");
}

function paintLayers<P extends Parameters<typeof paint>[0]>(panel: P): P {
  return paint(panel, layers.map(({ name, colour }) => [name, colour] as const));
}

function notProbed(): AnyPanel {
  const age = `time() - ${highest(select(targets, "integra_probe_last_run_timestamp_seconds"))}`;
  return stat({
    title: "Not probed lately",
    description: "Targets whose last run is older than three of their intervals. This page shows old results for them.",
    unit: "none",
    noValue: "No data: is the exporter scraped?",
    size: [4, 4],
    steps: limits(good, [1, bad]),
    mappings: [words([0, "none", good])],
    queries: [now(`sum(${age} > bool 3 * ${highest(select(targets, "integra_probe_interval_seconds"))})`, "not probed")],
  });
}

function exporters(): AnyPanel {
  return stat({
    title: "Exporters",
    description: "Whether Prometheus reaches each exporter. While an exporter is down, it does not probe its targets.",
    unit: "none",
    noValue: "None is scraped",
    size: [4, 4],
    steps: limits(bad, [1, good]),
    mappings: [words([1, "up", good], [0, "down", bad])],
    queries: [now('min by (job, instance) (up{job=~"$job",target=""})', "{{instance}}")],
  });
}

function matrix(): AnyPanel {
  const [failed] = firstThose(verdict(targets), failedOnce(targets));
  const quiet = [...targets, 'kind=~"api|rabbitmq"'];
  const [, others] = firstThose(verdict(quiet), failedOnce(quiet));
  return boxes({
    title: "Institutions × targets",
    description:
      "One row per target, one box per time step: works, or the layer at fault. Targets with failed runs come first. " +
      "Negative tests (auth) and watched keys that always worked are left out. A box shows a failure if any run in the step failed; " +
      "of several layers it shows the last of network, gateway, key, backend, broker, exporter. An empty box means no data. Click to open the target.",
    unit: "none",
    noValue: "Only negative tests and keys are selected, and all work; or the exporter is not scraped",
    size: [24, 16],
    mappings: [verdicts],
    links: [seriesToTarget],
    queries: [range(failed, name), range(others, name)],
  });
}

function layersOverTime(): AnyPanel {
  const panel = columns({
    title: "Failing targets by layer at fault",
    description: "How many targets fail, over time. A sudden step for many targets is a gateway, broker or network; a slow increase is keys.",
    unit: "none",
    noValue: "Nothing failed in this time range",
    size: [14, 8],
    decimals: 0,
    min: 0,
    queries: [range(byLayer, "{{layer}}")],
  });
  return paintLayers(panel.interval("1m"));
}

function reasonsNow(): AnyPanel {
  return bars({
    title: "Failing targets by reason",
    description: "Why targets fail now, the most frequent first. docs/metrics.md explains each reason.",
    unit: "none",
    noValue: "Nothing fails",
    size: [10, 8],
    min: 0,
    queries: [now(`sort_desc(sum by (layer, reason) (${causes(targets)}))`, "{{layer}}: {{reason}}")],
  });
}

function endsNext(): AnyPanel {
  const what = (expression: string, word: string) => `label_replace(${expression}, "what", "${word}", "", "")`;
  const authority = `min by (institution) (${select(institutions, "integra_tls_ca_expiry_timestamp_seconds")}) - time()`;
  const all = [what(keyLeft(targets), "key"), what(certificateLeft(targets), "certificate"), what(authority, "own authority")];
  const look = {
    title: "What expires next",
    description: "The 20 keys, certificates and certificate authorities that expire first. A renewed key expires two hours later, so under two hours means that somebody has renewed it.",
    unit: "dtdurations",
    noValue: "No known date",
    size: [14, 9] as [number, number],
    queries: [rows(`sort(bottomk(20,\n  ${all.join("\n  or ")}\n))`)],
  };
  return table(look, [
    { field: "Value", title: "Left", unit: "dtdurations", decimals: 1, steps: keyLimits, sort: "ascending" },
    { field: "what", title: "What" },
    { field: "institution", title: "Institution" },
    { field: "target", title: "Target", link: rowToTarget },
    { field: "kind", title: "Kind" },
    { field: "address", title: "Address" },
  ]);
}

function slowest(): AnyPanel {
  return bars({
    title: "Slowest targets",
    description: "The 95th percentile of the duration in the selected time range, for the ten slowest targets.",
    unit: "s",
    noValue: "No runs in this time range",
    size: [10, 9],
    min: 0,
    steps: limits(neutral, [1, warning], [3, bad]),
    links: [seriesToTarget],
    queries: [now(`sort_desc(topk(10,\n  ${quantile(0.95, targets, "$__range")}\n))`, name)],
  });
}

function serviceLevel(): AnyPanel {
  const served = [...institutions, 'kind=~"api|rabbitmq"', 'target=~"$target"'];
  const burning = `max by (institution) (${select(served, "target:integra_probe_failures:ratio_rate1h")})`;
  const look = {
    title: "Availability and error budget",
    description:
      "Share of runs of kind api and rabbitmq that succeeded in 30 days, and the part of the error budget that is left: " +
      "below 0 % the objective is missed. The worst burn rate is that of the institution's worst target in the last hour; at 1 the budget lasts exactly 30 days. See docs/slo.md.",
    unit: "percentunit",
    noValue: "No runs, or the recording rules are not loaded",
    size: [24, 8] as [number, number],
    queries: [
      rows(availability(served, "institution")),
      rows(`1 - (${failureRatio(served, "institution")}) / ${allowed}`),
      rows(`${burning} / ${allowed}`),
    ],
  };
  const none = [notANumber("no runs")];
  return table(look, [
    { field: "institution", title: "Institution" },
    { field: "Value #A", title: "Availability", unit: "percentunit", decimals: 3, mappings: none },
    { field: "Value #B", title: "Error budget left", unit: "percentunit", decimals: 1, mappings: none, steps: limits(bad, [0, warning], [0.25, good]), sort: "ascending" },
    { field: "Value #C", title: "Worst burn rate, 1 h", unit: "none", decimals: 1, mappings: none, steps: limits(good, [1, warning], [14.4, bad]) },
  ]).timeFrom("30d");
}
