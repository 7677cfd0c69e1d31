import {
  Dashboard,
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  Panel,
  QueryVariableBuilder,
  RowBuilder,
  RowPanel,
  VariableHide,
  VariableRefresh,
  VariableSort,
} from "@grafana/grafana-foundation-sdk/dashboard";
import { AnyPanel } from "./panel";
import { datasource, institutions, Scope, select } from "./query";

/** A dashboard: the most important panels first, in titled sections. */
export interface Board {
  uid: string;
  title: string;
  description: string;
  from: string; // the time shown at first
  variables: QueryVariableBuilder[];
  sections: Section[];
}

export interface Section {
  title: string;
  panels: AnyPanel[];
  folded?: boolean;
}

export const tag = "integra";

/** The dashboard in Grafana's classic JSON. Panels keep the order of the lists. */
export function build(board: Board): Dashboard {
  const builder = new DashboardBuilder(board.title)
    .uid(board.uid)
    .description(board.description)
    .tags([tag])
    .timezone("browser")
    .time({ from: board.from, to: "now" })
    .refresh("1m")
    .tooltip(DashboardCursorSync.Crosshair)
    .link(links())
    .variables([new DatasourceVariableBuilder("datasource").label("Data source").type("prometheus"), ...board.variables]);
  board.sections.forEach((section) => place(builder, section));
  return finished(builder.build());
}

function place(builder: DashboardBuilder, { title, panels, folded }: Section): void {
  const row = new RowBuilder(title).collapsed(folded ?? false);
  if (folded) {
    panels.forEach((panel) => row.withPanel(panel));
  }
  builder.withRow(row);
  if (!folded) {
    panels.forEach((panel) => builder.withPanel(panel));
  }
}

/** Fields that the builder adds and Grafana does not use: an interval for every variable, a footer that has moved. */
const superfluous = new Set(["auto", "auto_min", "auto_count", "footer"]);

/** Numbers the panels. */
function finished(dashboard: Dashboard): Dashboard {
  everyPanel(dashboard).forEach((panel, index) => (panel.id = index + 1));
  dashboard.links?.forEach((link) => delete link.placement); // it would be in a menu
  return JSON.parse(JSON.stringify(dashboard, (key, value) => (superfluous.has(key) ? undefined : value)));
}

/** Rows and panels, also those within a folded row. */
export function everyPanel(dashboard: Dashboard): (Panel | RowPanel)[] {
  return (dashboard.panels ?? []).flatMap((panel) => [panel, ...("panels" in panel ? panel.panels : [])]);
}

function links(): DashboardLinkBuilder {
  return new DashboardLinkBuilder("Integra").type(DashboardLinkType.Dashboards).tags([tag]).includeVars(true).keepTime(true);
}

const targetInfo = "integra_target_info";

export const job = variable("job", "Job", `label_values(${targetInfo}, job)`);
export const institution = variable("institution", "Institution", values(['job=~"$job"'], "institution")).allValue(".+");
export const kind = variable("kind", "Kind", values(institutions, "kind")).allValue(".+");
export const target = variable("target", "Target", values([...institutions, 'kind=~"$kind"'], "target")).allValue(".+");
export const application = variable("target", "Application", values([...institutions, 'kind="rabbitmq"'], "target")).allValue(".+");
export const instance = variable("instance", "Instance", 'label_values(integra_exporter_build_info{job=~"$job"}, instance)').allValue(".+");

/** For a dashboard that does not use these variables: links keep the selection for other dashboards. */
export const carried = [
  variable("institution", "Institution", values(['job=~"$job"'], "institution")),
  variable("kind", "Kind", values(institutions, "kind")),
  variable("target", "Target", values([...institutions, 'kind=~"$kind"'], "target")),
].map((builder) => builder.allValue(".+").hide(VariableHide.HideVariable));

function values(scope: Scope, label: string): string {
  return `label_values(${select(scope, targetInfo)}, ${label})`;
}

/** Selects one, several or all values of a label. All jobs means all jobs with targets, so `job` has no allValue. */
function variable(name: string, label: string, query: string): QueryVariableBuilder {
  return new QueryVariableBuilder(name)
    .label(label)
    .query({ query, refId: `variable-${name}` })
    .datasource(datasource)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc)
    .multi(true)
    .includeAll(true)
    .current({ selected: true, text: ["All"], value: ["$__all"] });
}
