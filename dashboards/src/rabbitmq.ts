import { application, Board, institution, job } from "./board";
import { verdict } from "./expression";
import { rowToTarget, seriesToTarget } from "./link";
import { AnyPanel, boxes, lines, stat, strips } from "./panel";
import { bad, good, limits, verdicts, warning, words } from "./palette";
import { brokers, highest, lowest, now, range, rows, select } from "./query";
import { brokerPhases, failingTable, phaseStack } from "./shared";
import { table } from "./table";

export const rabbitmq = (): Board => ({
  uid: "integra-rabbitmq",
  title: "Integra: RabbitMQ",
  description: "Whether applications reach their broker, exchange and queues, and whether somebody empties the queues.",
  from: "now-6h",
  variables: [job, institution, application],
  sections: [
    { title: "Can applications log in and find what they need?", panels: [failingNow(), blockedNow(), unattended(), waiting(), failingTable(brokers, "Failing applications", 8), history()] },
    { title: "Does somebody empty the queues?", panels: [queues(), ready(), consumers()] },
    { title: "How fast is it, and does it take messages?", panels: [phases(), roundTrip(), blocked(), servers()] },
  ],
});

const applicationName = "{{institution}} / {{target}}";
const readyNow = highest(select(brokers, "integra_rabbitmq_queue_messages_ready"), "queue");
const consumersNow = highest(select(brokers, "integra_rabbitmq_queue_consumers"), "queue");
const blockedState = highest(select(brokers, "integra_rabbitmq_blocked"));

function count(title: string, description: string, noValue: string, expression: string): AnyPanel {
  return stat({
    title,
    description,
    noValue,
    unit: "none",
    size: [6, 4],
    steps: limits(good, [1, bad]),
    mappings: [words([0, "none", good])],
    queries: [now(expression, title)],
  });
}

function failingNow(): AnyPanel {
  const failed = highest(`${select(brokers, "integra_probe_success")} == bool 0`);
  return count("Failing applications", "Applications whose last access to the broker failed.", "No data: is the exporter scraped?", `sum(${failed})`);
}

function blockedNow(): AnyPanel {
  const description = "Applications to which the broker says that it takes no messages, because memory or disk is short. Seen only with roundtrip: true.";
  return count("Blocked", description, "Not known: no application has roundtrip: true", `sum(${blockedState})`);
}

function unattended(): AnyPanel {
  const description =
    "Queues in which messages wait and that nobody reads. An empty queue without consumers is not counted: it may be unused, or a quorum queue without a leader (docs/rabbitmq.md).";
  return count("Queues nobody reads", description, "The broker shows no queue", `sum((${readyNow} > bool 0) * (${consumersNow} == bool 0))`);
}

function waiting(): AnyPanel {
  return stat({
    title: "Messages that wait",
    description: "In all queues together, without those handed out and not yet acknowledged.",
    unit: "short",
    noValue: "The broker shows no queue",
    size: [6, 4],
    queries: [now(`sum(${readyNow})`, "messages")],
  });
}

function history(): AnyPanel {
  return boxes({
    title: "Applications",
    description:
      "One row per application, one box per step of time: it works, or the layer at fault. All of an institution at once is its broker; one alone is its password or its queues. " +
      "If any run in the step failed, the box shows it.",
    unit: "none",
    noValue: "No data: is the exporter scraped?",
    size: [24, 8],
    mappings: [verdicts],
    links: [seriesToTarget],
    queries: [range(verdict(brokers), applicationName)],
  });
}

function queues(): AnyPanel {
  const look = {
    title: "Queues now",
    description: "Messages that wait and consumers of each queue; the fullest first. 0 messages with 0 consumers is ambiguous: docs/rabbitmq.md.",
    unit: "short",
    noValue: "The broker shows no queue: none is configured, or it is missing (see the failing applications)",
    size: [24, 7] as [number, number],
    queries: [rows(readyNow), rows(consumersNow)],
  };
  return table(look, [
    { field: "institution", title: "Institution", width: 130 },
    { field: "target", title: "Application", link: rowToTarget },
    { field: "kind", title: "Kind", width: 90 },
    { field: "queue", title: "Queue" },
    { field: "Value #A", title: "Messages that wait", unit: "short", steps: limits(good, [100, warning], [1000, bad]), sort: "descending" },
    { field: "Value #B", title: "Consumers", unit: "short", mappings: [words([0, "none", bad])] },
  ]);
}

function ready(): AnyPanel {
  return lines({
    title: "Messages that wait",
    description: "A line that only climbs is a consumer that is gone or too slow; a saw is normal.",
    unit: "short",
    noValue: "The broker shows no queue",
    size: [12, 9],
    min: 0,
    queries: [range(readyNow, "{{institution}} / {{queue}}")],
  });
}

function consumers(): AnyPanel {
  return lines({
    title: "Consumers",
    description: "How many clients read each queue. At 0 nobody does.",
    unit: "short",
    noValue: "The broker shows no queue",
    size: [12, 9],
    decimals: 0,
    min: 0,
    queries: [range(consumersNow, "{{institution}} / {{queue}}")],
  });
}

function phases(): AnyPanel {
  const description =
    "Where the last run's time went, in the order it happens; the mean of the chosen applications. A long login is the service that authenticates users; a refused one takes three seconds.";
  return phaseStack(brokers, brokerPhases, description, [12, 9]);
}

function roundTrip(): AnyPanel {
  const time = select(brokers, "integra_probe_phase_duration_seconds", 'phase="roundtrip"');
  return lines({
    title: "Round trip",
    description: "From publishing a message to its confirmation and return. Only with roundtrip: true; a gap is a run that did not get so far.",
    unit: "s",
    noValue: "No application has roundtrip: true, or no run got so far",
    size: [12, 9],
    min: 0,
    queries: [range(highest(time), applicationName)],
  });
}

function blocked(): AnyPanel {
  return strips({
    title: "Does the broker take messages?",
    description: "Blocked: a resource alarm; memory or disk is short, often because of queues that nobody empties. Publishers wait until it is over.",
    unit: "none",
    noValue: "Not known: no application has roundtrip: true",
    size: [12, 8],
    mappings: [words([0, "takes messages", good], [1, "blocked", bad])],
    queries: [range(blockedState, applicationName)],
  });
}

function servers(): AnyPanel {
  const info = lowest(select(brokers, "integra_rabbitmq_server_info"), "product", "version", "cluster");
  const look = {
    title: "Servers",
    description: "What each broker says of itself, and how many applications saw it in their last run. Two versions of one cluster: an upgrade is going on.",
    unit: "none",
    noValue: "No broker was reached",
    size: [12, 8] as [number, number],
    queries: [rows(`count by (institution, cluster, product, version) (${info})`)],
  };
  return table(look, [
    { field: "institution", title: "Institution" },
    { field: "cluster", title: "Cluster" },
    { field: "product", title: "Product" },
    { field: "version", title: "Version" },
    { field: "Value", title: "Applications", unit: "none" },
  ]);
}
