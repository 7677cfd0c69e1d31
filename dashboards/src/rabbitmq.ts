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
  description: "Whether applications reach their broker, exchange and queues, and whether consumers keep up with the queues.",
  from: "now-6h",
  variables: [job, institution, application],
  sections: [
    { title: "Can applications log in and find what they need?", panels: [failingNow(), blockedNow(), unattended(), waiting(), failingTable(brokers, "Failing applications", 8), history()] },
    { title: "Do consumers keep up with the queues?", panels: [queues(), ready(), consumers()] },
    { title: "How fast is it, and does it accept messages?", panels: [phases(), roundTrip(), blocked(), servers()] },
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
  return count("Failing applications", "Applications whose last run failed.", "No data: is the exporter scraped?", `sum(${failed})`);
}

function blockedNow(): AnyPanel {
  const description = "Applications from which the broker accepts no messages, because memory or disk is short. Needs roundtrip: true.";
  return count("Blocked", description, "Unknown: no application has roundtrip: true", `sum(${blockedState})`);
}

function unattended(): AnyPanel {
  const description =
    "Queues with ready messages and no consumer. An empty queue without consumers is not counted: it may be unused, or a quorum queue without a leader (docs/rabbitmq.md).";
  return count("Backlog without consumers", description, "The broker shows no queue", `sum((${readyNow} > bool 0) * (${consumersNow} == bool 0))`);
}

function waiting(): AnyPanel {
  return stat({
    title: "Ready messages",
    description: "Ready messages in all queues together, without unacknowledged ones.",
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
      "One row per application, one box per time step: works, or the layer at fault. If all applications of an institution fail at once, its broker is at fault; if only one fails, its password or queues are. " +
      "A box shows a failure if any run in the step failed.",
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
    description: "Ready messages and consumers of each queue, the fullest first. 0 messages with 0 consumers is ambiguous: docs/rabbitmq.md.",
    unit: "short",
    noValue: "The broker shows no queue: none is configured, or the queue is missing (see the failing applications)",
    size: [24, 7] as [number, number],
    queries: [rows(readyNow), rows(consumersNow)],
  };
  return table(look, [
    { field: "institution", title: "Institution", width: 130 },
    { field: "target", title: "Application", link: rowToTarget },
    { field: "kind", title: "Kind", width: 90 },
    { field: "queue", title: "Queue" },
    { field: "Value #A", title: "Ready messages", unit: "short", steps: limits(good, [100, warning], [1000, bad]), sort: "descending" },
    { field: "Value #B", title: "Consumers", unit: "short", mappings: [words([0, "none", bad])] },
  ]);
}

function ready(): AnyPanel {
  return lines({
    title: "Ready messages",
    description: "A line that only rises means that the consumer is missing or too slow; a sawtooth is normal.",
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
    description: "The number of consumers of each queue.",
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
    "The phases of the last run, in their order; the mean of the selected applications. A long login is caused by the service that authenticates users; a refused login takes three seconds.";
  return phaseStack(brokers, brokerPhases, description, [12, 9]);
}

function roundTrip(): AnyPanel {
  const time = select(brokers, "integra_probe_phase_duration_seconds", 'phase="roundtrip"');
  return lines({
    title: "Round trip",
    description: "From publishing a message to its confirmation and return. Only with roundtrip: true; a gap is a run that did not get this far.",
    unit: "s",
    noValue: "No application has roundtrip: true, or no run got this far",
    size: [12, 9],
    min: 0,
    queries: [range(highest(time), applicationName)],
  });
}

function blocked(): AnyPanel {
  return strips({
    title: "Does the broker accept messages?",
    description: "Blocked means a resource alarm: memory or disk is short, often because of queues without consumers. Publishers wait until it is over.",
    unit: "none",
    noValue: "Unknown: no application has roundtrip: true",
    size: [12, 8],
    mappings: [words([0, "takes messages", good], [1, "blocked", bad])],
    queries: [range(blockedState, applicationName)],
  });
}

function servers(): AnyPanel {
  const info = lowest(select(brokers, "integra_rabbitmq_server_info"), "product", "version", "cluster");
  const look = {
    title: "Servers",
    description: "Product and version of each broker, and how many applications saw it in their last run. Two versions in one cluster mean that an upgrade is in progress.",
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
