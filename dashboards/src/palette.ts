import { MappingType, SpecialValueMatch, Threshold, ValueMapping } from "@grafana/grafana-foundation-sdk/dashboard";

/** Okabe and Ito's colours: people with any common kind of colour blindness can distinguish them. */
export const colour = {
  orange: "#E69F00",
  sky: "#56B4E9",
  green: "#009E73",
  yellow: "#F0E442",
  blue: "#0072B2",
  vermillion: "#D55E00",
  purple: "#CC79A7",
  grey: "#999999",
} as const;

export const good = colour.green;
export const warning = colour.orange;
export const bad = colour.vermillion;
export const neutral = colour.blue;

/** The layers that can be at fault, with the number of each for panels that need one; 0 is "works", 1 "fails". */
export const layers = [
  { name: "network", code: 2, colour: colour.blue },
  { name: "gateway", code: 3, colour: colour.vermillion },
  { name: "key", code: 4, colour: colour.orange },
  { name: "backend", code: 5, colour: colour.purple },
  { name: "broker", code: 6, colour: colour.sky },
  { name: "exporter", code: 7, colour: colour.grey },
] as const;

type Word = readonly [value: number | string, text: string, colour: string];
type Span = readonly [from: number | null, to: number | null, text: string, colour: string];

/** Texts and colours for single values. */
export function words(...rows: Word[]): ValueMapping {
  const options = Object.fromEntries(rows.map(([value, text, color], index) => [`${value}`, { text, color, index }]));
  return { type: MappingType.ValueToText, options };
}

/** Texts and colours for ranges of values, both ends included; null is open. */
export function spans(...rows: Span[]): ValueMapping[] {
  return rows.map(([from, to, text, color], index) => ({
    type: MappingType.RangeToText,
    options: { from, to, result: { text, color, index } },
  }));
}

/** A text for NaN, such as 0 failed runs of 0. */
export function notANumber(text: string): ValueMapping {
  return { type: MappingType.SpecialValue, options: { match: SpecialValueMatch.NullAndNan, result: { text, color: colour.grey } } };
}

/** A colour below the first limit, and one from each limit on. */
export function limits(first: string, ...rest: [number, string][]): Threshold[] {
  return [{ value: null, color: first }, ...rest.map(([value, color]) => ({ value, color }))];
}

/** "works", or the layer that is at fault. */
export const verdicts = words(
  [0, "works", good],
  [1, "fails", colour.yellow],
  ...layers.map(({ name, code, colour }): Word => [code, name, colour]),
);

/** HTTP status codes in words. The colour shows the class, not success: without a key 401 is correct. */
export const statusCodes: ValueMapping[] = [
  words(
    [200, "200 OK", good],
    [400, "400 Bad Request", warning],
    [401, "401 Unauthorized", warning],
    [403, "403 Forbidden", warning],
    [404, "404 Not Found", warning],
    [405, "405 Method Not Allowed", warning],
    [429, "429 Too Many Requests", warning],
    [500, "500 Internal Server Error", bad],
    [502, "502 Bad Gateway", bad],
    [503, "503 Service Unavailable", bad],
    [504, "504 Gateway Timeout", bad],
  ),
  ...spans(
    [200, 299, "2xx success", good],
    [300, 399, "3xx redirect", colour.sky],
    [400, 499, "4xx refused", warning],
    [500, 599, "5xx server error", bad],
  ),
];

/** Under two hours left: somebody has renewed the key. */
const renewed = colour.purple;

const hour = 3600;
const day = 24 * hour;

/** Seconds until a key expires: the limits of its alerts. */
export const keyLimits = limits(bad, [0, renewed], [2 * hour, warning], [7 * day, colour.yellow], [30 * day, good]);

/** The same in words, for a strip over time. */
export const leftInWords = spans(
  [null, 0, "ended", bad],
  [0, 2 * hour, "under 2 hours", renewed],
  [2 * hour, 7 * day, "under a week", warning],
  [7 * day, 30 * day, "under a month", colour.yellow],
  [30 * day, null, "over a month", good],
);

/** Seconds until a certificate expires: the limits of its alerts. */
export const certificateLimits = limits(bad, [7 * day, warning], [21 * day, good]);
