import { failing, phases } from "./expression";
import { rowToTarget } from "./link";
import { AnyPanel, paint, stack } from "./panel";
import { bad, colour, words } from "./palette";
import { range, rows, Scope } from "./query";
import { table } from "./table";

/** Failing targets, why they fail and what to do: the same table on several dashboards. */
export function failingTable(scope: Scope, title: string, height: number): AnyPanel {
  const look = {
    title,
    description:
      "Every target whose last run failed: the layer at fault, the reason, what it means and what to do next. The link shows whom to ask. " +
      "Meaning and next step come from the recording rules in alerts/; without them these two columns are empty.",
    unit: "dateTimeFromNow",
    noValue: "Nothing fails, or the exporter is not scraped: see Exporters",
    size: [24, height] as [number, number],
    queries: [rows(failing(scope))],
  };
  return table(look, [
    { field: "institution", title: "Institution", width: 105 },
    { field: "target", title: "Target", width: 165, wrap: true, link: rowToTarget },
    { field: "kind", title: "Kind", width: 85 },
    { field: "layer", title: "Layer", width: 85 },
    { field: "reason", title: "Reason", width: 170 },
    { field: "meaning", title: "What it means", width: 260, wrap: true },
    { field: "next", title: "What to do next", wrap: true },
    { field: "Value", title: "Last worked", width: 150, unit: "dateTimeFromNow", mappings: [words([0, "not since start", bad])], sort: "descending" },
  ]);
}

export const httpPhases = ["resolve", "connect", "tls", "processing", "transfer"] as const;
export const brokerPhases = ["resolve", "connect", "tls", "login", "open", "declare", "roundtrip"] as const;

const order = [colour.grey, colour.sky, colour.blue, colour.orange, colour.purple, colour.yellow, colour.green];

/** The stacked phases. */
export function phaseStack(scope: Scope, names: readonly string[], description: string, size: [number, number]): AnyPanel {
  const panel = stack({
    title: "Phases of the last run",
    description,
    unit: "s",
    noValue: "No phases: no run got this far, or the kind has none (auth, key)",
    size,
    min: 0,
    queries: [range(phases(scope, names), "{{phase}}")],
  });
  return paint(panel, names.map((name, index) => [`${index + 1} ${name}`, order[index] ?? colour.grey] as const));
}
