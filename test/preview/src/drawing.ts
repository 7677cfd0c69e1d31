import type { DataFrame, GrafanaTheme2, TimeRange } from "@grafana/data";
import type { Panel } from "./dashboard";

/** What a panel's content is drawn from. */
export interface Drawing {
  panel: Panel;
  data: DataFrame[];
  timeRange: TimeRange;
  timeZone: string;
  theme: GrafanaTheme2;
  width: number;
  height: number;
}
