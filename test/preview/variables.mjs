// A dashboard's variables, with the values they would have in Grafana.

const labelValues = /^label_values\((.*), *(\w+)\)$/s;
const reference = /\$(?:(\w+)|\{(\w+)(?::\w+)?\})/g;

/** The value of each variable, All where nothing else is wanted, as a regular expression and as text. */
export async function choose(dashboard, wanted, ask) {
  const chosen = {};
  for (const variable of dashboard.templating.list.filter(({ type }) => type === "query")) {
    const { name } = variable;
    chosen[name] = wanted[name] ? { value: wanted[name], text: wanted[name] } : await all(variable, chosen, ask);
  }
  return chosen;
}

async function all(variable, chosen, ask) {
  if (variable.allValue) {
    return { value: variable.allValue, text: "All" };
  }
  const query = variable.query.query ?? variable.query;
  const [, selector, label] = query.match(labelValues);
  const found = await ask(`label/${label}/values`, { "match[]": expand(selector, chosen) });
  return { value: `(${found.join("|")})`, text: "All" };
}

/** Fills in the variables that are known; $1 and the like in a replacement are left. */
export function expand(text, scope) {
  return text.replace(reference, (whole, bare, braced) => scope[bare ?? braced]?.value ?? whole);
}
