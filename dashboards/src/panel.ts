import * as common from "@grafana/grafana-foundation-sdk/common";
import {
  DashboardLink,
  FieldColorBuilder,
  FieldColorModeId,
  Panel,
  Threshold,
  ThresholdsConfigBuilder,
  ThresholdsMode,
  ValueMapping,
} from "@grafana/grafana-foundation-sdk/dashboard";
import { PanelBuilder as BarGauge } from "@grafana/grafana-foundation-sdk/bargauge";
import { HeatmapColorMode, HeatmapColorOptionsBuilder, PanelBuilder as Heatmap, YAxisConfigBuilder } from "@grafana/grafana-foundation-sdk/heatmap";
import { DataqueryBuilder } from "@grafana/grafana-foundation-sdk/prometheus";
import { PanelBuilder as Stat } from "@grafana/grafana-foundation-sdk/stat";
import { PanelBuilder as StateTimeline } from "@grafana/grafana-foundation-sdk/statetimeline";
import { PanelBuilder as StatusHistory } from "@grafana/grafana-foundation-sdk/statushistory";
import { PanelBuilder as Table } from "@grafana/grafana-foundation-sdk/table";
import { PanelBuilder as TimeSeries } from "@grafana/grafana-foundation-sdk/timeseries";
import { neutral, notANumber } from "./palette";
import { datasource } from "./query";

/** What every panel must specify. */
export interface Look {
  title: string;
  description: string; // which question it answers, and how to read it
  unit: string;
  noValue: string; // what it means that there is nothing to show
  size: [width: number, height: number]; // of a grid that is 24 wide
  queries: DataqueryBuilder[];
  decimals?: number;
  min?: number;
  max?: number;
  steps?: Threshold[];
  mappings?: ValueMapping[];
  links?: [title: string, url: string][];
}

type Builder = Stat | Table | TimeSeries | StateTimeline | StatusHistory | BarGauge | Heatmap;

/** A single number or word for each series. No data is neither good nor bad. */
export function stat(look: Look): Stat {
  return dress(new Stat(), { ...look, mappings: [...(look.mappings ?? []), notANumber(look.noValue)] })
    .graphMode(common.BigValueGraphMode.None)
    .colorMode(common.BigValueColorMode.Background)
    .textMode(common.BigValueTextMode.Auto)
    .reduceOptions(lastValue())
    .colorScheme(byThreshold());
}

/** A bar for each series, in the query's order. */
export function bars(look: Look): BarGauge {
  return dress(new BarGauge(), look)
    .orientation(common.VizOrientation.Horizontal)
    .displayMode(common.BarGaugeDisplayMode.Basic)
    .namePlacement(common.BarGaugeNamePlacement.Left)
    .valueMode(common.BarGaugeValueMode.Text)
    .reduceOptions(lastValue())
    .colorScheme(byThreshold());
}

/** Lines over time, in colours that differ from their neighbours'. Missing samples leave a gap. */
export function lines(look: Look): TimeSeries {
  return dress(new TimeSeries(), look)
    .lineWidth(2)
    .fillOpacity(0)
    .showPoints(common.VisibilityMode.Auto)
    .legend(legend())
    .tooltip(new common.VizTooltipOptionsBuilder().mode(common.TooltipDisplayMode.Multi).sort(common.SortOrder.Descending))
    .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.PaletteClassic));
}

/** Stacked lines. */
export function stack(look: Look): TimeSeries {
  return lines(look)
    .fillOpacity(70)
    .lineWidth(1)
    .tooltip(new common.VizTooltipOptionsBuilder().mode(common.TooltipDisplayMode.Multi).sort(common.SortOrder.None))
    .stacking(new common.StackingConfigBuilder().mode(common.StackingMode.Normal).group("A"));
}

/** Stacked bars over time. */
export function columns(look: Look): TimeSeries {
  return stack(look).drawStyle(common.GraphDrawStyle.Bars).showPoints(common.VisibilityMode.Never);
}

/** A strip for each series, in which equal neighbouring values are merged. */
export function strips(look: Look): StateTimeline {
  return dress(new StateTimeline(), look)
    .mergeValues(true)
    .showValue(common.VisibilityMode.Auto)
    .alignValue(common.TimelineValueAlignment.Left)
    .rowHeight(0.85)
    .fillOpacity(80)
    .perPage(20)
    .legend(new common.VizLegendOptionsBuilder().showLegend(false))
    .colorScheme(byThreshold());
}

/** A row of boxes for each series, one per time step. */
export function boxes(look: Look): StatusHistory {
  return dress(new StatusHistory(), look)
    .showValue(common.VisibilityMode.Auto)
    .rowHeight(0.9)
    .colWidth(0.95)
    .fillOpacity(85)
    .perPage(25)
    .interval("1m")
    .maxDataPoints(72)
    .legend(new common.VizLegendOptionsBuilder().showLegend(true).displayMode(common.LegendDisplayMode.List).placement(common.LegendPlacement.Bottom))
    .colorScheme(byThreshold());
}

/** The distribution of durations over time. Dark blue is rare, bright yellow frequent. */
export function heatmap(look: Look): Heatmap {
  return dress(new Heatmap(), look)
    .calculate(false)
    .color(new HeatmapColorOptionsBuilder().mode(HeatmapColorMode.Scheme).scheme("Cividis").steps(64).exponent(0.5).fill(neutral))
    .yAxis(new YAxisConfigBuilder().unit(look.unit).axisPlacement(common.AxisPlacement.Left))
    .filterValues({ build: () => ({ le: 1e-9 }) })
    .showLegend();
}

/** A fixed colour for the series with a name. */
export function paint<B extends Builder>(panel: B, colours: Iterable<readonly [series: string, colour: string]>): B {
  for (const [series, fixedColor] of colours) {
    panel.overrideByName(series, [{ id: "color", value: { mode: FieldColorModeId.Fixed, fixedColor } }]);
  }
  return panel;
}

/** Sets the options that all panels have. */
export function dress<B extends Builder>(panel: B, look: Look): B {
  panel
    .title(look.title)
    .description(look.description)
    .unit(look.unit)
    .noValue(look.noValue)
    .span(look.size[0])
    .height(look.size[1])
    .datasource(datasource)
    .targets(look.queries.map((query, index) => query.refId(String.fromCharCode(65 + index))))
    .thresholds(new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(look.steps ?? [{ value: null, color: neutral }]))
    .mappings(look.mappings ?? [])
    .dataLinks((look.links ?? []).map(([title, url]) => ({ build: () => ({ title, url }) as DashboardLink })));
  if (look.decimals !== undefined) panel.decimals(look.decimals);
  if (look.min !== undefined) panel.min(look.min);
  if (look.max !== undefined) panel.max(look.max);
  return panel;
}

/** The panel as the dashboard needs it. */
export type AnyPanel = { build(): Panel };

export function byThreshold(): FieldColorBuilder {
  return new FieldColorBuilder().mode(FieldColorModeId.Thresholds);
}

function lastValue(): common.ReduceDataOptionsBuilder {
  return new common.ReduceDataOptionsBuilder().calcs(["lastNotNull"]).values(false);
}

function legend(): common.VizLegendOptionsBuilder {
  return new common.VizLegendOptionsBuilder()
    .showLegend(true)
    .displayMode(common.LegendDisplayMode.List)
    .placement(common.LegendPlacement.Bottom);
}
