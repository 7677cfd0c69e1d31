import { DataFrame, getFieldDisplayName } from "@grafana/data";
import { GraphNGProps, preparePlotFrame, Table, TimeSeries } from "@grafana/ui";
import { Drawing } from "./drawing";

/** A row for each series, as the transformations left them. */
export function Rows({ panel, data, width, height }: Drawing) {
  const { options } = panel;
  return <Table data={data[0]} width={width} height={height} cellHeight={options.cellHeight} showTypeIcons={options.showTypeIcons} initialSortBy={options.sortBy} fieldConfig={panel.fieldConfig} />;
}

/** Lines, bars or areas over time. */
export function Lines({ panel, data, timeRange, timeZone, width, height }: Drawing) {
  return (
    <TimeSeries frames={data} preparePlotFrame={joined} timeRange={timeRange} timeZone={timeZone} legend={panel.options.legend} width={width} height={height} />
  );
}

/** All series in one frame. Joining forgets the names, which the colours go by. */
function joined(...[frames, fields]: Parameters<NonNullable<GraphNGProps["preparePlotFrame"]>>): DataFrame | null {
  const frame = preparePlotFrame(frames, fields) ?? null;
  frame?.fields.forEach((field) => getFieldDisplayName(field, frame));
  return frame;
}
