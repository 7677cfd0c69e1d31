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
  description: "Which keys and certificates end when, which are rejected or renewed by somebody, and of which nobody knows.",
  from: "now-7d",
  variables: [job, institution, kind, target],
  sections: [
    { title: "What needs somebody?", panels: counts() },
    { title: "What ends when?", panels: [ends(), timeline()] },
    { title: "What is odd?", panels: [accepted(), superseded(), undated()] },
    { title: "Certificates and the API manager", panels: [certificates(), authorities(), manager()] },
  ],
});

const day = 24 * 3600;

function counts(): AnyPanel[] {
  const left = keyLeft(targets);
  const flag = (metric: string, value: number) => `sum(${highest(`${select(targets, metric)} == bool ${value}`)})`;
  const unknown = `sum(${highest(select(targets, "integra_key_expiry_state", 'state="unknown"'))})`;
  return [
    count("Ended", "Keys whose end has passed.", bad, `sum(${left} <= bool 0)`, "No date is known"),
    count("End within a week", "Keys that end within seven days, those that have ended not counted.", warning, within(left, 7), "No date is known"),
    count("End within a month", "Keys that end within 30 days, those that have ended not counted.", colour.yellow, within(left, 30), "No date is known"),
    count("Rejected", "Keys that the gateway does not accept.", bad, flag("integra_key_accepted", 0), "No answer has proved anything yet"),
    count("Superseded", "Keys for which the API manager holds a newer one: the old one ends two hours after the renewal.", warning, flag("integra_key_superseded", 1), "The API manager knows none of them"),
    count("End unknown", "Keys of which neither the configuration nor the API manager says when they end.", colour.sky, unknown, "No target uses a key"),
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
      "When each key ends, by every source that names a date: the configuration, the API manager (gravitee), the certificate or the token (jwt). " +
      "Where sources disagree, the earliest counts. \"ago\" means that it has ended.",
    unit: "dtdurations",
    noValue: "No date is known",
    size: [24, 10] as [number, number],
    queries: [rows(`(${end} - time())\n${info}`), rows(`1000 * ${end}\n${info}`)],
  };
  return table(look, [
    { field: "Value #A", title: "Left", width: 150, unit: "dtdurations", decimals: 1, steps: keyLimits, sort: "ascending" },
    { field: "Value #B", title: "Ends", width: 165, unit: "dateTimeAsIso" },
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
    title: "How much was left, over time",
    description: "A strip for each key with a date. A strip that turns back to over a month is a renewal; one that drops to under two hours is a renewal that has not reached the configuration.",
    unit: "dtdurations",
    noValue: "No date is known",
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
    description: "What the gateway last said of each key, those first that it rejected in the time shown. It stays as it was when an answer proves nothing.",
    unit: "none",
    noValue: "No answer has proved anything yet",
    size: [24, 10],
    mappings: [words([1, "accepted", good], [0, "rejected", bad])],
    queries: [range(rejected, name), range(others, name)],
  });
}

function superseded(): AnyPanel {
  const newer = highest(`${select(targets, "integra_key_superseded")} == 1`);
  const look = {
    title: "Renewed by somebody",
    description: "The API manager holds a newer key for the same subscription. Fetch it and put it where the configuration points; the key in use ends two hours after the renewal.",
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
    description: "Never: a source says that the key does not end. Unknown: no source says anything; set key_expires, or let the exporter read the API manager.",
    unit: "string",
    noValue: "Every key has a date",
    size: [12, 8] as [number, number],
    queries: [rows(`${states}\n${withInfo(targets, "title", "contact")}`)],
  };
  const state = words(["unknown", "unknown", warning], ["never", "never ends", good]);
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
    description: "Until the first certificate of the chain that each server shows ends, and whether the exporter accepts the chain. A certificate that has ended is shown too.",
    unit: "dtdurations",
    noValue: "No run saw a certificate",
    size: [12, 9] as [number, number],
    queries: [rows(certificateLeft(targets)), rows(`1000 * ${certificateEnd(targets)}`), rows(verified)],
  };
  return table(look, [
    { field: "Value #A", title: "Left", unit: "dtdurations", decimals: 1, steps: certificateLimits, sort: "ascending" },
    { field: "Value #B", title: "Ends", unit: "dateTimeAsIso" },
    { field: "institution", title: "Institution" },
    { field: "address", title: "Address" },
    { field: "Value #C", title: "Accepted", unit: "none", mappings: [words([1, "yes", good], [0, "no", bad])] },
  ]);
}

function authorities(): AnyPanel {
  const end = `min by (institution) (${select(institutions, "integra_tls_ca_expiry_timestamp_seconds")})`;
  return stat({
    title: "Own authorities end in",
    description: "Until the first certificate in the institution's own ca_file ends. With it every connection that relies on it fails.",
    unit: "dtdurations",
    noValue: "none is configured",
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
    description: "Whether the last reading worked, and how old is what it said of keys. What the last good one said stays in force.",
    unit: "dateTimeFromNow",
    noValue: "No institution has a gravitee entry",
    size: [8, 9] as [number, number],
    queries: [rows(success), rows(read)],
  };
  return table(look, [
    { field: "institution", title: "Institution" },
    { field: "Value #A", title: "Last reading", unit: "none", mappings: [words([1, "worked", good], [0, "failed", bad])], sort: "ascending" },
    { field: "Value #B", title: "Last good one", unit: "dateTimeFromNow" },
  ]);
}
