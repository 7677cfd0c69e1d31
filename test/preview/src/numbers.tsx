import { DisplayValueAlignmentFactors, FieldDisplay, getDisplayProcessor, getDisplayValueAlignmentFactors, getFieldDisplayValues, VizOrientation } from "@grafana/data";
import { BarGauge, BigValue, VizRepeater, VizRepeaterRenderValueProps } from "@grafana/ui";
import { Drawing } from "./drawing";

type One = VizRepeaterRenderValueProps<FieldDisplay, DisplayValueAlignmentFactors>;

/** A number or a word for each series. */
export function Stat(drawing: Drawing) {
  const { options } = drawing.panel;
  return (
    <Repeater {...drawing} autoGrid orientation={options.orientation}>
      {({ value, alignmentFactors, width, height, count }) => (
        <BigValue
          value={value.display}
          count={count}
          width={width}
          height={height}
          alignmentFactors={alignmentFactors}
          colorMode={options.colorMode}
          graphMode={options.graphMode}
          justifyMode={options.justifyMode}
          textMode={options.textMode}
          theme={drawing.theme}
        />
      )}
    </Repeater>
  );
}

/** A bar for each series. */
export function Bars(drawing: Drawing) {
  const { options } = drawing.panel;
  return (
    <Repeater {...drawing} orientation={options.orientation}>
      {({ value, alignmentFactors, width, height, orientation }) => (
        <BarGauge
          value={value.display}
          field={value.field}
          display={value.view?.getFieldDisplayProcessor(value.colIndex ?? 0) ?? getDisplayProcessor({ field: { config: value.field }, theme: drawing.theme })}
          width={width}
          height={height}
          orientation={orientation}
          alignmentFactors={alignmentFactors}
          displayMode={options.displayMode}
          valueDisplayMode={options.valueMode}
          namePlacement={options.namePlacement}
          showUnfilled={options.showUnfilled}
          theme={drawing.theme}
        />
      )}
    </Repeater>
  );
}

interface Repeated extends Drawing {
  orientation: VizOrientation;
  autoGrid?: boolean;
  children: (one: One) => React.JSX.Element;
}

function Repeater({ panel, data, width, height, theme, timeZone, orientation, autoGrid, children }: Repeated) {
  const values = () =>
    getFieldDisplayValues({
      data,
      fieldConfig: panel.fieldConfig,
      reduceOptions: panel.options.reduceOptions,
      replaceVariables: (text) => text,
      theme,
      timeZone,
    });
  return (
    <VizRepeater
      getValues={values}
      getAlignmentFactors={getDisplayValueAlignmentFactors}
      renderValue={children}
      source={data}
      renderCounter={0}
      width={width}
      height={height}
      orientation={orientation}
      autoGrid={autoGrid}
      minVizWidth={panel.options.minVizWidth}
      minVizHeight={panel.options.minVizHeight}
      maxVizHeight={panel.options.maxVizHeight}
    />
  );
}
