import { colorManipulator } from "@grafana/data";
import { AxisPlacement, GraphDrawStyle, ScaleDirection, ScaleOrientation } from "@grafana/schema";
import { UPlotChart, UPlotConfigBuilder } from "@grafana/ui";
import { useMemo } from "react";
import uPlot from "uplot";
import { Drawing } from "./drawing";

/** A piece of time in a row; rows are counted from the top. */
export interface Box {
  row: number;
  from: number;
  to: number;
  colour: string;
  text?: string;
}

export interface BoxesProps extends Drawing {
  boxes: Box[];
  rows: number;
  ticks: { at: number; label: string }[]; // in rows from the top; 0.5 is the middle of the first
  fill: { width: number; height: number; opacity: number; line: number }; // shares of a box's place; 0 to 1
  align: CanvasTextAlign;
}

/** Boxes over time, on Grafana's axes. The panels that need it are not in Grafana's packages. */
export function Boxes(props: BoxesProps) {
  const { width, height, timeRange } = props;
  const config = useMemo(() => plot(props), [props]);
  const ends = [timeRange.from.valueOf(), timeRange.to.valueOf()];
  return <UPlotChart data={[ends, [null, null]]} config={config} width={width} height={height} />;
}

function plot(props: BoxesProps): UPlotConfigBuilder {
  const { theme, timeZone, timeRange, rows, ticks } = props;
  const builder = new UPlotConfigBuilder(timeZone);
  builder.addScale({
    scaleKey: "x",
    isTime: true,
    orientation: ScaleOrientation.Horizontal,
    direction: ScaleDirection.Right,
    range: () => [timeRange.from.valueOf(), timeRange.to.valueOf()],
  });
  builder.addScale({ scaleKey: "y", orientation: ScaleOrientation.Vertical, direction: ScaleDirection.Up, range: () => [0, rows] });
  builder.addAxis({ scaleKey: "x", isTime: true, placement: AxisPlacement.Bottom, timeZone, theme, grid: { show: false } });
  builder.addAxis({
    scaleKey: "y",
    placement: AxisPlacement.Left,
    theme,
    grid: { show: false },
    ticks: { show: false },
    splits: ticks.map(({ at }) => rows - at),
    values: ticks.map(({ label }) => label),
  });
  builder.addSeries({ scaleKey: "y", theme, drawStyle: GraphDrawStyle.Line, lineWidth: 0 });
  builder.addHook("draw", (u) => draw(u, props));
  return builder;
}

function draw(u: uPlot, props: BoxesProps): void {
  const { left, top, width, height } = u.bbox;
  u.ctx.save();
  u.ctx.beginPath();
  u.ctx.rect(left, top, width, height);
  u.ctx.clip();
  u.ctx.font = `${12 * uPlot.pxRatio}px Inter`;
  u.ctx.textBaseline = "middle";
  u.ctx.textAlign = props.align;
  props.boxes.forEach((box) => drawBox(u, box, props));
  u.ctx.restore();
}

function drawBox(u: uPlot, box: Box, { rows, fill, theme, timeRange }: BoxesProps): void {
  const x = (time: number) => u.valToPos(time, "x", true);
  const begin = Math.max(box.from, timeRange.from.valueOf());
  const y = (row: number) => u.valToPos(rows - row, "y", true);
  const wide = x(box.to) - x(begin);
  const high = y(box.row + 1) - y(box.row);
  const [w, h] = [Math.max(1, wide * fill.width), Math.max(1, high * fill.height)];
  const [left, top] = [x(begin) + (wide - w) / 2, y(box.row) + (high - h) / 2];
  u.ctx.fillStyle = colorManipulator.alpha(box.colour, fill.opacity);
  u.ctx.fillRect(left, top, w, h);
  if (fill.line > 0) {
    u.ctx.strokeStyle = box.colour;
    u.ctx.lineWidth = fill.line * uPlot.pxRatio;
    u.ctx.strokeRect(left, top, w, h);
  }
  write(u.ctx, box.text ?? "", left, top + h / 2, w, theme.colors.getContrastText(box.colour));
}

/** Text where there is room for all of it. */
function write(ctx: CanvasRenderingContext2D, text: string, left: number, middle: number, width: number, colour: string): void {
  const inset = 4 * uPlot.pxRatio;
  if (ctx.measureText(text).width + 2 * inset > width) {
    return;
  }
  ctx.fillStyle = colour;
  ctx.fillText(text, ctx.textAlign === "center" ? left + width / 2 : left + inset, middle);
}
