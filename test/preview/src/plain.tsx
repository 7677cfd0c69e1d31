import { DataFrame, getFieldDisplayName } from "@grafana/data";
import { GraphNGProps, preparePlotFrame, TimeSeries } from "@grafana/ui";
import { TableNG } from "@grafana/ui/unstable";
import { Drawing } from "./drawing";

/** A row for each series, as the transformations left them. */
export function Rows({ panel, data, width, height }: Drawing) {
  const { options } = panel;
  return (
    <TableNG
      data={data[0]}
      width={width}
      height={height}
      cellHeight={options.cellHeight}
      showTypeIcons={options.showTypeIcons}
      sortBy={options.sortBy}
      fieldConfig={panel.fieldConfig}
      getActions={() => []}
      structureRev={1}
    />
  );
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
