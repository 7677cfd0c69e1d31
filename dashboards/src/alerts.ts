import { rowToRunbook, rowToTarget } from "./link";
import { bad, colour, warning, words } from "./palette";
import { AnyPanel } from "./panel";
import { either, identity, rows } from "./query";
import { table } from "./table";

/** The firing alerts, causes before their effects. */
export function alerts(): AnyPanel {
  const look = {
    title: "Firing alerts",
    description:
      "Firing alerts of the rules in alerts/, critical ones first, including those without an institution. A general alert " +
      "(IntegraTargetFailing, IntegraErrorBudget…) is left out if a critical one names the cause. Prometheus does not know the Alertmanager's other inhibitions and its silences: " +
      "the panel shows those alerts. Click an alert to open its runbook.",
    unit: "dateTimeFromNow",
    noValue: "No alert fires, or the rules are not loaded",
    size: [24, 9] as [number, number],
    queries: [rows(bySeverity())],
  };
  const severities = words(["critical", "critical", bad], ["warning", "warning", warning], ["info", "info", colour.sky]);
  return table(look, [
    { field: "severity", title: "Severity", width: 100, mappings: [severities] },
    { field: "alertname", title: "Alert", link: rowToRunbook },
    { field: "institution", title: "Institution" },
    { field: "target", title: "Target", link: rowToTarget },
    { field: "kind", title: "Kind" },
    { field: "Value", title: "Since", unit: "dateTimeFromNow" },
  ]);
}

const mine = 'alertname=~"Integra.*",job=~"$job|",institution=~"$institution|"';
const budget = 'alertname=~"IntegraErrorBudget.*"';
const failing = 'alertname="IntegraTargetFailing"';
const cause = 'alertname!~"IntegraErrorBudget.*|IntegraTargetFailing"';
const critical = 'severity="critical"';

/** Alerts that name the cause of a target's failure, as in alerts/alertmanager.example.yml. */
const named = "IntegraKeyExpired|IntegraKeyRejected|IntegraAccessNotRefused|IntegraRabbitMQLoginRefused|IntegraRabbitMQObjectMissing|IntegraRabbitMQBlocked";

function firing(...matchers: string[]): string {
  return `ALERTS{${[mine, 'alertstate="firing"', ...matchers].join(",")}}`;
}

/** When alerts started to fire, in milliseconds. */
function since(...matchers: string[]): string {
  const began = `ALERTS_FOR_STATE{${[mine, ...matchers].join(",")}}`;
  return `max by (alertname, severity, ${identity}) (1000 * ${began} and ignoring (alertstate) ${firing(...matchers)})`;
}

const downs = [
  ["Gateway", "api"],
  ["Gateway", "auth"],
  ["Broker", "rabbitmq"],
];

/** Gateways and brokers that are down, once for each kind of target that fails with them. */
const down = either(...downs.map(([what, kind]) => `label_replace(${firing(`alertname="Integra${what}Down"`)}, "kind", "${kind}", "", "")`));

/** Leaves out alerts on a target for which another alert names the cause, or whose gateway or broker is down. */
function unexplained(alerts: string, better: string): string {
  return `(${alerts}\n  unless on (${identity}) ${better}\n  unless on (institution, kind) (${down}))`;
}

/** Critical alerts, warnings, the rest; in each group the causes first. */
function bySeverity(): string {
  const warning = 'severity="warning"';
  const better = firing(critical, `alertname=~"${named}|IntegraTargetFailing"`);
  return either(
    since(cause, critical),
    unexplained(since(failing), firing(critical, `alertname=~"${named}"`)),
    unexplained(since(budget, critical), better),
    since(cause, warning),
    unexplained(since(budget, warning), better),
    since(cause),
  );
}
