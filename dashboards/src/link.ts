/** Keeps data source, job and time range in a link to another dashboard. */
const kept = "${datasource:queryparam}&${job:queryparam}&${__url_time_range}";

/** From a row of a table, which has the identity in its columns. */
export const rowToTarget = ["Open this target", url("__data.fields")] as [string, string];

/** From a series, which has the identity in its labels. */
export const seriesToTarget = ["Open this target", url("__field.labels")] as [string, string];

/** From a row of a table of alerts. */
export const rowToRunbook = [
  "Open the runbook",
  "https://github.com/integra-exporter/integra_exporter/blob/main/docs/runbooks/${__data.fields.alertname}.md",
] as [string, string];

function url(source: string): string {
  const variables = ["institution", "kind", "target"].map((label) => `var-${label}=\${${source}.${label}}`);
  return `/d/integra-target?${variables.join("&")}&${kept}`;
}
