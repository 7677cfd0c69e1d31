import {
  applyFieldOverrides,
  cacheFieldDisplayNames,
  DataFrame,
  dataLinksOverrideProcessor,
  Field,
  FieldConfigPropertyItem,
  FieldType,
  GrafanaTheme2,
  identityOverrideProcessor,
  numberOverrideProcessor,
  Registry,
  standardTransformers,
  standardTransformersRegistry,
  thresholdsOverrideProcessor,
  transformDataFrame,
  TransformerRegistryItem,
  valueMappingsOverrideProcessor,
} from "@grafana/data";
import { lastValueFrom } from "rxjs";
import { Panel } from "./dashboard";

/** Frames as a panel shows them: transformed, with the panel's units, colours, mappings and overrides. */
export async function dress(panel: Panel, raw: DataFrame[], theme: GrafanaTheme2, timeZone: string): Promise<DataFrame[]> {
  const data = await lastValueFrom(transformDataFrame(panel.transformations ?? [], raw));
  const dressed = applyFieldOverrides({
    data,
    fieldConfig: panel.fieldConfig,
    fieldConfigRegistry: options(panel),
    replaceVariables: (text) => text,
    theme,
    timeZone,
  });
  cacheFieldDisplayNames(dressed); // colours go by name
  return dressed;
}

/** Grafana registers these at its start; the package leaves it to the program. */
export function registerTransformations(): void {
  const used = [standardTransformers.mergeTransformer, standardTransformers.organizeFieldsTransformer];
  standardTransformersRegistry.setInit(() =>
    used.map((transformation): TransformerRegistryItem => ({
      id: transformation.id,
      name: transformation.name,
      transformation: async () => transformation,
      editor: () => null,
      imageDark: "",
      imageLight: "",
    })),
  );
}

type Process = FieldConfigPropertyItem["process"];

const always = () => true;
const ofNumbers = ({ type }: Field) => type === FieldType.number;

const standard: [id: string, process: Process, shouldApply: (field: Field) => boolean][] = [
  ["unit", identityOverrideProcessor, always],
  ["noValue", identityOverrideProcessor, always],
  ["color", identityOverrideProcessor, always],
  ["min", numberOverrideProcessor, ofNumbers],
  ["max", numberOverrideProcessor, ofNumbers],
  ["decimals", numberOverrideProcessor, ofNumbers],
  ["thresholds", thresholdsOverrideProcessor, ofNumbers],
  ["mappings", valueMappingsOverrideProcessor, always],
  ["links", dataLinksOverrideProcessor, always],
];

/** The options that exist, by id: the standard ones and those of its own that the panel sets. */
function options({ fieldConfig }: Panel): Registry<FieldConfigPropertyItem> {
  const overridden = fieldConfig.overrides.flatMap(({ properties }) => properties.map(({ id }) => id));
  const own = new Set([
    ...Object.keys(fieldConfig.defaults.custom ?? {}),
    ...overridden.filter((id) => id.startsWith("custom.")).map((id) => id.slice("custom.".length)),
  ]);
  return new Registry(() => [
    ...standard.map(([id, process, shouldApply]) => option(id, id, process, shouldApply)),
    ...[...own].map((name) => ({ ...option(`custom.${name}`, name, identityOverrideProcessor, always), isCustom: true })),
  ]);
}

function option(id: string, path: string, process: Process, shouldApply: (field: Field) => boolean): FieldConfigPropertyItem {
  return { id, path, name: id, process, shouldApply, override: () => null, editor: () => null };
}
