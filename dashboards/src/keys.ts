import { Board, institution, job, kind, target } from "./board";
import { certificateEnd, certificateLeft, firstThose, keyLeft, withInfo } from "./expression";
import { rowToTarget } from "./link";
import { AnyPanel, stat, strips } from "./panel";
import { bad, certificateLimits, colour, good, keyLimits, leftInWords, limits, warning, words } from "./palette";
import { highest, institutions, lowest, name, now, range, rows, select, targets } from "./query";
import { table } from "./table";

export const keys = (): Board => ({
  uid: "integra-keys",
  title: "Integra: keys and certificates",
  description: "When keys and certificates expire, which keys are rejected or were renewed, and which have no known expiry.",
  from: "now-7d",
  variables: [job, institution, kind, target],
  sections: [
    { title: "What needs attention?", panels: counts() },
    { title: "What expires when?", panels: [ends(), timeline()] },
    { title: "What is unusual?", panels: [accepted(), superseded(), undated()] },
    { title: "Certificates and the API manager", panels: [certificates(), authorities(), manager()] },
  ],
});

const day = 24 * 3600;

function counts(): AnyPanel[] {
  const left = keyLeft(targets);
  const flag = (metric: string, value: number) => `sum(${highest(`${select(targets, metric)} == bool ${value}`)})`;
  const unknown = `sum(${highest(select(targets, "integra_key_expiry_state", 'state="unknown"'))})`;
  return [
    count("Expired", "Keys that have expired.", bad, `sum(${left} <= bool 0)`, "No known date"),
    count("Expire within a week", "Keys that expire within seven days, without expired ones.", warning, within(left, 7), "No known date"),
    count("Expire within a month", "Keys that expire within 30 days, without expired ones.", colour.yellow, within(left, 30), "No known date"),
    count("Rejected", "Keys that the gateway does not accept.", bad, flag("integra_key_accepted", 0), "No response has proved anything yet"),
    count("Superseded", "Keys for which the API manager has a newer one: the old one expires two hours after the renewal.", warning, flag("integra_key_superseded", 1), "The API manager knows none of them"),
    count("Expiry unknown", "Keys for which neither the configuration nor the API manager has an expiry.", colour.sky, unknown, "No target uses a key"),
  ];
}

function within(left: string, days: number): string {
  return `sum((${left} > bool 0) * (${left} <= bool ${days * day}))`;
}

function count(title: string, description: string, colour: string, expression: string, noValue: string): AnyPanel {
  return stat({
    title,
    description,
    noValue,
    unit: "none",
    size: [4, 4],
    steps: limits(good, [1, colour]),
    mappings: [words([0, "none", good])],
    queries: [now(expression, title)],
  });
}

function ends(): AnyPanel {
  const end = `${lowest(select(targets, "integra_key_expiry_timestamp_seconds"), "source")}`;
  const info = withInfo(targets, "title", "contact");
  const look = {
    title: "Keys by time left",
    description:
      "When each key expires, according to every source with a date: the configuration, the API manager (gravitee), the certificate or the token (jwt). " +
      "If sources disagree, the earliest date applies. \"ago\" means that the key has expired.",
    unit: "dtdurations",
    noValue: "No known date",
    size: [24, 10] as [number, number],
    queries: [rows(`(${end} - time())\n${info}`), rows(`1000 * ${end}\n${info}`)],
  };
  return table(look, [
    { field: "Value #A", title: "Left", width: 150, unit: "dtdurations", decimals: 1, steps: keyLimits, sort: "ascending" },
    { field: "Value #B", title: "Expires", width: 165, unit: "dateTimeAsIso" },
    { field: "institution", title: "Institution", width: 110 },
    { field: "target", title: "Target", link: rowToTarget },
    { field: "kind", title: "Kind", width: 80 },
    { field: "title", title: "Title" },
    { field: "source", title: "Source", width: 110 },
    { field: "contact", title: "Contact", width: 240 },
  ]);
}

function timeline(): AnyPanel {
  return strips({
    title: "Time left, over time",
    description: "One strip per key with a date. A strip that returns to over a month is a renewal; one that drops to under two hours is a renewal whose new key is not in place yet.",
    unit: "dtdurations",
    noValue: "No known date",
    size: [24, 9],
    decimals: 1,
    mappings: leftInWords,
    queries: [range(keyLeft(targets), name)],
  });
}

function accepted(): AnyPanel {
  const accepts = select(targets, "integra_key_accepted");
  const [rejected, others] = firstThose(lowest(accepts), `${lowest(`min_over_time(${accepts}[$__range] @ end())`)} == 0`);
  return strips({
    title: "Does the gateway accept the key?",
    description: "Whether the gateway last accepted each key; keys that it rejected in the selected time range come first. A response that proves nothing does not change the value.",
    unit: "none",
    noValue: "No response has proved anything yet",
    size: [24, 10],
    mappings: [words([1, "accepted", good], [0, "rejected", bad])],
    queries: [range(rejected, name), range(others, name)],
  });
}

function superseded(): AnyPanel {
  const newer = highest(`${select(targets, "integra_key_superseded")} == 1`);
  const look = {
    title: "Renewed keys",
    description: "The API manager has a newer key for the same subscription. Fetch it and put it where the configuration points; the key in use expires two hours after the renewal.",
    unit: "string",
    noValue: "Every key that the API manager knows is the newest",
    size: [12, 8] as [number, number],
    queries: [rows(`${newer}\n${withInfo(targets, "title", "contact")}`)],
  };
  return table(look, people(), "Value");
}

function undated(): AnyPanel {
  const states = highest(`${select(targets, "integra_key_expiry_state", 'state=~"never|unknown"')} == 1`, "state");
  const look = {
    title: "Keys without a date",
    description: "Never: a source says that the key does not expire. Unknown: no source has an expiry; set key_expires, or let the exporter read the API manager.",
    unit: "string",
    noValue: "Every key has a date",
    size: [12, 8] as [number, number],
    queries: [rows(`${states}\n${withInfo(targets, "title", "contact")}`)],
  };
  const state = words(["unknown", "unknown", warning], ["never", "never expires", good]);
  return table(look, [{ field: "state", title: "State", width: 110, mappings: [state], sort: "descending" }, ...people()], "Value");
}

function people() {
  return [
    { field: "institution", title: "Institution", width: 110 },
    { field: "target", title: "Target", link: rowToTarget },
    { field: "kind", title: "Kind", width: 80 },
    { field: "title", title: "Title" },
    { field: "contact", title: "Contact" },
  ];
}

function certificates(): AnyPanel {
  const verified = `min by (institution, address) (${lowest(select(targets, "integra_tls_certificate_verified"))}\n${withInfo(targets, "address")})`;
  const look = {
    title: "Certificates of gateways and brokers",
    description: "Time until the first certificate in each server's chain expires, and whether the exporter accepts the chain. Expired certificates are shown too.",
    unit: "dtdurations",
    noValue: "No run saw a certificate",
    size: [12, 9] as [number, number],
    queries: [rows(certificateLeft(targets)), rows(`1000 * ${certificateEnd(targets)}`), rows(verified)],
  };
  return table(look, [
    { field: "Value #A", title: "Left", unit: "dtdurations", decimals: 1, steps: certificateLimits, sort: "ascending" },
    { field: "Value #B", title: "Expires", unit: "dateTimeAsIso" },
    { field: "institution", title: "Institution" },
    { field: "address", title: "Address" },
    { field: "Value #C", title: "Accepted", unit: "none", mappings: [words([1, "yes", good], [0, "no", bad])] },
  ]);
}

function authorities(): AnyPanel {
  const end = `min by (institution) (${select(institutions, "integra_tls_ca_expiry_timestamp_seconds")})`;
  return stat({
    title: "Certificate authorities expire in",
    description: "Time until the first certificate in the institution's ca_file expires. After that, every connection that relies on it fails.",
    unit: "dtdurations",
    noValue: "none configured",
    size: [4, 9],
    decimals: 1,
    steps: limits(bad, [14 * day, warning], [60 * day, good]),
    queries: [now(`${end} - time()`, "{{institution}}")],
  });
}

function manager(): AnyPanel {
  const success = `min by (institution) (${select(institutions, "integra_gravitee_success")})`;
  const read = `1000 * max by (institution) (${select(institutions, "integra_gravitee_last_success_timestamp_seconds")})`;
  const look = {
    title: "Reading the API manager",
    description: "Whether the last reading succeeded, and the age of its information about keys. The exporter keeps the last good reading.",
    unit: "dateTimeFromNow",
    noValue: "No institution has a gravitee entry",
    size: [8, 9] as [number, number],
    queries: [rows(success), rows(read)],
  };
  return table(look, [
    { field: "institution", title: "Institution" },
    { field: "Value #A", title: "Last reading", unit: "none", mappings: [words([1, "worked", good], [0, "failed", bad])], sort: "ascending" },
    { field: "Value #B", title: "Last success", unit: "dateTimeFromNow" },
  ]);
}
