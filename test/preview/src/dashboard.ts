import type { DataTransformerConfig, FieldConfigSource } from "@grafana/data";

/** As much of a dashboard's JSON as is drawn. */
export interface Dashboard {
  uid: string;
  title: string;
  panels: Panel[];
}

export interface Panel {
  id: number;
  type: string;
  title: string;
  description?: string;
  gridPos: { x: number; y: number; w: number; h: number };
  targets?: Query[];
  options: any; // each type of panel has its own
  fieldConfig: FieldConfigSource;
  transformations?: DataTransformerConfig[];
  timeFrom?: string;
}

export interface Query {
  refId: string;
  expr: string;
  format: "time_series" | "table" | "heatmap";
  instant: boolean;
  legendFormat?: string;
}

/** The answers to a dashboard's queries, as collect.mjs and the test in test/platform save them. */
export interface Saved {
  start: number; // Unix seconds
  end: number;
  step: number;
  variables?: Record<string, string>; // what was chosen
  panels: Record<string, Record<string, Answer>>; // by panel id, by refId
}

export interface Answer {
  expr: string; // with the variables filled in
  step?: number; // where it differs
  range?: { result: Series[] };
  instant?: { result: Sample[] };
}

export type Labels = Record<string, string>;
type Point = [seconds: number, value: string];

export interface Series {
  metric: Labels;
  values: Point[];
}

export interface Sample {
  metric: Labels;
  value: Point;
}
