import { TableSortByFieldStateBuilder, TableCellOptions, TableCellDisplayMode } from "@grafana/grafana-foundation-sdk/common";
import { DynamicConfigValue, Threshold, ValueMapping } from "@grafana/grafana-foundation-sdk/dashboard";
import { PanelBuilder as Table } from "@grafana/grafana-foundation-sdk/table";
import { colour, limits } from "./palette";
import { byThreshold, dress, Look } from "./panel";

/** A column, in the order of the list; all other fields of a query are hidden. */
export interface Column {
  field: string; // a label, or the value: Value, with several queries Value #A, Value #B …
  title: string;
  width?: number;
  unit?: string;
  decimals?: number;
  steps?: Threshold[]; // colours the text
  mappings?: ValueMapping[];
  link?: [title: string, url: string];
  wrap?: boolean; // sentences take as many lines as they need
  sort?: "ascending" | "descending";
}

/** A table of the current results of queries; several queries are merged by the labels they share. */
export function table(look: Look, columns: Column[], ...hidden: string[]): Table {
  const panel = dress(new Table(), look)
    .showHeader(true)
    .filterable(true)
    .colorScheme(byThreshold())
    .transformations([{ id: "merge", options: {} }, organize(columns, hidden)])
    .sortBy(columns.filter(({ sort }) => sort).map(sorted));
  columns.forEach((column) => panel.overrideByName(column.title, properties(column)));
  return panel;
}

function organize(columns: Column[], hidden: string[]) {
  return {
    id: "organize",
    options: {
      excludeByName: Object.fromEntries(["Time", ...hidden].map((field) => [field, true])),
      indexByName: Object.fromEntries(columns.map(({ field }, index) => [field, index])),
      renameByName: Object.fromEntries(columns.map(({ field, title }) => [field, title])),
      includeByName: {},
    },
  };
}

function sorted(column: Column): TableSortByFieldStateBuilder {
  return new TableSortByFieldStateBuilder().displayName(column.title).desc(column.sort === "descending");
}

const coloured: TableCellOptions = { type: TableCellDisplayMode.ColorText };

/** Wraps in older Grafana; Grafana 13 looks at custom.wrapText instead. */
const wrapped: TableCellOptions = { type: TableCellDisplayMode.Auto, wrapText: true };

/** What no mapping names is neither good nor bad. The panel's own colour is too dark for text. */
const unjudged = limits(colour.sky);

function properties({ width, unit, decimals, steps, mappings, link, wrap }: Column): DynamicConfigValue[] {
  const judged = steps ?? (mappings && unjudged);
  const wanted: [string, unknown][] = [
    ["custom.width", width],
    ["unit", unit ?? "string"],
    ["noValue", unit === undefined ? "" : undefined], // an empty text is no missing number
    ["decimals", decimals],
    ["thresholds", judged && { mode: "absolute", steps: judged }],
    ["mappings", mappings],
    ["custom.cellOptions", wrap ? wrapped : judged && coloured],
    ["custom.wrapText", wrap],
    ["links", link && [{ title: link[0], url: link[1] }]],
  ];
  return wanted.filter(([, value]) => value !== undefined).map(([id, value]) => ({ id, value }));
}
