import "@fontsource/inter/latin-400.css";
import "@fontsource/inter/latin-500.css";
import { createTheme, ThemeContext } from "@grafana/data";
import { GlobalStyles } from "@grafana/ui";
import "uplot/dist/uPlot.min.css";
import { createRoot } from "react-dom/client";
import { Dashboard, Panel, Saved } from "./dashboard";
import { dress, registerTransformations } from "./fields";
import { frames } from "./frames";
import { Page, timeRange } from "./page";

const timeZone = "utc";
const width = 1368;

/** What a row's title lacks. */
const empty = { options: {}, fieldConfig: { defaults: {}, overrides: [] } };

/** Draws the dashboard at /dashboard.json with the answers at /results.json, as many sections as the address says. */
async function main(): Promise<void> {
  registerTransformations();
  const theme = createTheme({ colors: { mode: "dark" } });
  const dashboard: Dashboard = await (await fetch("/dashboard.json")).json();
  const saved: Saved = await (await fetch("/results.json")).json();
  const panels = first(dashboard, Number(new URLSearchParams(location.search).get("sections")));
  const drawings = await Promise.all(
    panels.map(async (panel) => {
      const data = await dress(panel, frames(panel, saved), theme, timeZone);
      return { panel, data, timeRange: timeRange(saved), timeZone, theme, width, height: 0 };
    }),
  );
  await Promise.all([document.fonts.load("12px Inter"), document.fonts.load("500 12px Inter")]);
  createRoot(document.getElementById("page")!).render(
    <ThemeContext.Provider value={theme}>
      <GlobalStyles />
      <Page dashboard={dashboard} saved={saved} drawings={drawings} theme={theme} width={width + 32} />
    </ThemeContext.Provider>,
  );
}

function first({ panels }: Dashboard, sections: number): Panel[] {
  const end = panels.filter(({ type }) => type === "row")[sections]?.gridPos.y ?? Infinity;
  return panels.filter(({ gridPos }) => gridPos.y < end).map((panel) => ({ ...empty, ...panel }));
}

await main();
