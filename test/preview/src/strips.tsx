import { DataFrame, Field, FieldType, formattedValueToString, getDisplayProcessor, getFieldDisplayName, GrafanaTheme2 } from "@grafana/data";
import { css } from "@emotion/css";
import { LegendDisplayMode } from "@grafana/schema";
import { Pagination, VizLayout, VizLegend } from "@grafana/ui";
import { Box, Boxes } from "./boxes";
import { Drawing } from "./drawing";

/** A strip for each series, in which equal neighbours are one piece. */
export function StateTimeline(drawing: Drawing) {
  const { data, timeRange, panel } = drawing;
  const end = timeRange.to.valueOf();
  const pieces = (field: Row, row: number) => merged(boxes(field, row, (time, next) => [time, Math.min(next, end)]));
  return <Strips {...drawing} rows={rows(data)} pieces={pieces} share={1} align={panel.options.alignValue} />;
}

/** A row of boxes for each series. */
export function StatusHistory(drawing: Drawing) {
  const pieces = (field: Row, row: number) => boxes(field, row, (time) => [time - field.interval, time]);
  return <Strips {...drawing} rows={rows(drawing.data)} pieces={pieces} share={drawing.panel.options.colWidth} align="center" />;
}

interface Row {
  name: string;
  field: Field;
  times: number[];
  interval: number;
}

function rows(data: DataFrame[]): Row[] {
  return data.map((frame) => {
    const time = frame.fields.find(({ type }) => type === FieldType.time)!;
    const field = frame.fields.find(({ type }) => type === FieldType.number)!;
    return { field, name: getFieldDisplayName(field, frame, data), times: time.values, interval: time.config.interval ?? 0 };
  });
}

/** A value lasts until the next one, unless that one is missing. */
function boxes({ field, times, interval }: Row, row: number, span: (time: number, next: number) => [number, number]): Box[] {
  return times.map((time, index) => {
    const value = look(field, field.values[index]);
    const next = Math.min(times[index + 1] ?? Infinity, time + interval);
    const [from, to] = span(time, next);
    return { row, from, to, ...value };
  });
}

function look(field: Field, value: number): { colour: string; text: string } {
  const display = (field.display ?? getDisplayProcessor())(value);
  return { colour: display.color ?? "#999999", text: formattedValueToString(display) };
}

function merged(boxes: Box[]): Box[] {
  return boxes.reduce<Box[]>((all, box) => {
    const last = all[all.length - 1];
    if (last && last.to === box.from && last.text === box.text && last.colour === box.colour) {
      last.to = box.to;
      return all;
    }
    return [...all, { ...box }];
  }, []);
}

interface StripsProps extends Drawing {
  rows: Row[];
  pieces: (row: Row, index: number) => Box[];
  share: number; // share of a box's place
  align: CanvasTextAlign;
}

const below = css({ marginTop: 12 });

/** The first page of rows, as many as the panel shows at once. */
function Strips({ rows, pieces, share, align, ...drawing }: StripsProps) {
  const { panel, width, height, theme } = drawing;
  const { perPage, rowHeight, legend } = panel.options;
  const custom = panel.fieldConfig.defaults.custom ?? {};
  const shown = rows.slice(0, perPage);
  const pages = Math.ceil(rows.length / perPage);
  const footer = pages > 1 ? 44 : 0;
  return (
    <>
      <VizLayout width={width} height={height - footer} legend={legend.showLegend ? states(shown, theme) : null}>
        {(innerWidth: number, innerHeight: number) => (
          <Boxes
            {...drawing}
            width={innerWidth}
            height={innerHeight}
            rows={shown.length}
            boxes={shown.flatMap(pieces)}
            ticks={shown.map(({ name }, index) => ({ at: index + 0.5, label: name }))}
            fill={{ width: share, height: rowHeight, opacity: custom.fillOpacity / 100, line: custom.lineWidth }}
            align={align}
          />
        )}
      </VizLayout>
      {pages > 1 && <Pagination className={below} currentPage={1} numberOfPages={pages} onNavigate={() => {}} />}
    </>
  );
}

/** A legend of the states that are shown, with their colours. */
function states(rows: Row[], theme: GrafanaTheme2) {
  const colours = new Map(rows.flatMap(({ field }) => field.values.map((value) => look(field, value))).map(({ text, colour }) => [text, colour]));
  const items = [...colours].map(([label, color]) => ({ label, color: theme.visualization.getColorByName(color), yAxis: 1 }));
  return (
    <VizLayout.Legend placement="bottom">
      <VizLegend placement="bottom" items={items} displayMode={LegendDisplayMode.List} />
    </VizLayout.Legend>
  );
}
