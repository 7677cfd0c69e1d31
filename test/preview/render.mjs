// Draws the dashboards with Grafana's components from saved query results, and
// takes a picture of each. See README.md.
import { build } from "esbuild";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import { parseArgs } from "node:util";
import { chromium } from "playwright-core";
import UPNG from "upng-js";

const here = import.meta.dirname;
const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    results: { type: "string", default: join(here, "results") },
    images: { type: "string", default: join(here, "../../docs/images") },
    chromium: { type: "string", default: "/usr/bin/chromium" },
  },
});

// How many sections of each dashboard a picture shows.
const sections = { overview: 2, target: 3, rabbitmq: 2, keys: 3, exporter: 2 };

const types = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".json": "application/json", ".svg": "image/svg+xml" };
const origin = "http://preview.invalid";
const shell = '<!doctype html><link rel="stylesheet" href="/main.css"><body><div id="page" style="display: inline-block"></div><script type="module" src="/main.js"></script>';

const bundle = await script();
await mkdir(options.images, { recursive: true });
const browser = await chromium.launch({ executablePath: options.chromium, args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"] });
try {
  for (const name of positionals.length ? positionals : Object.keys(sections)) {
    await picture(name);
  }
} finally {
  await browser.close();
}

async function script() {
  const { outputFiles } = await build({
    entryPoints: [join(here, "src/main.tsx")],
    bundle: true,
    write: false,
    outdir: "/",
    format: "esm",
    jsx: "automatic",
    minify: true,
    loader: { ".ttf": "empty", ".woff": "dataurl", ".woff2": "dataurl" },
    alias: { "react-custom-scrollbars-2": join(here, "src/scrollbars.mjs") },
    define: { "process.env.NODE_ENV": '"production"', global: "window" },
    logLevel: "warning",
  });
  return Object.fromEntries(outputFiles.map(({ path, contents }) => [`/${basename(path)}`, Buffer.from(contents)]));
}

async function picture(name) {
  const results = await readFile(join(options.results, `${name}.json`));
  const dashboard = await readFile(join(here, `../../dashboards/json/${name}.json`));
  const page = await browser.newPage({ viewport: { width: 1400, height: 3000 } });
  const broken = new Promise((_, reject) => page.on("pageerror", reject));
  await page.clock.setFixedTime(1000 * JSON.parse(results).end);
  const files = { ...bundle, "/index.html": shell, "/dashboard.json": dashboard, "/results.json": results };
  await page.route("**", (route) => serve(route, files));
  await page.goto(`${origin}/index.html?sections=${sections[name]}`);
  await Promise.race([broken, page.locator("#page canvas").first().waitFor()]);
  await Promise.race([broken, page.waitForLoadState("networkidle")]);
  const taken = await page.locator("#page").screenshot();
  await writeFile(join(options.images, `dashboard-${name}.png`), small(taken));
  await page.close();
}

// With a palette: a third of the size.
function small(png) {
  const image = UPNG.decode(png);
  return Buffer.from(UPNG.encode(UPNG.toRGBA8(image), image.width, image.height, 256));
}

// Nothing comes from a network: what is not ours is one of Grafana's icons.
async function serve(route, files) {
  const { pathname } = new URL(route.request().url());
  const headers = { contentType: types[extname(pathname)] ?? "application/octet-stream" };
  if (files[pathname]) {
    return route.fulfill({ ...headers, body: files[pathname] });
  }
  const icon = pathname.match(/img\/icons\/[\w/-]+\.svg$/);
  return icon ? route.fulfill({ ...headers, path: join(here, "node_modules/@grafana/ui/dist/public", icon[0]) }) : route.abort();
}
