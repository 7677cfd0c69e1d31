// Makes the pictures of the documentation anew: npm run pictures
import { launch, views, visit } from "./browser.mjs";
import { pathOf, start } from "./exporter.mjs";

const [directory] = process.argv.slice(2);
if (!directory) throw new Error("say into which directory");

const pictures = {
  overview: "/",
  target: pathOf({ institution: "uit", kind: "api", target: "organisasjoner" }),
};

const exporter = await start();
const browser = await launch();
try {
  for (const [name, view] of Object.entries(views)) {
    await visit(browser, exporter.url, view, async (page) => {
      for (const [what, path] of Object.entries(pictures)) {
        await page.goto(path);
        await page.screenshot({ path: `${directory}/status-${what}-${name}.png` });
      }
    });
  }
} finally {
  await browser.close();
  await exporter.stop();
}
