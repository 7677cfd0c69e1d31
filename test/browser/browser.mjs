// Chromium, and pages whose every word and request is watched.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { chromium } from "playwright-core";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
  });
}

// The ways in which people look at a page.
export const views = {
  light: { viewport: { width: 1280, height: 900 }, colorScheme: "light" },
  dark: { viewport: { width: 1280, height: 900 }, colorScheme: "dark" },
  narrow: { viewport: { width: 360, height: 780 }, colorScheme: "light" },
};

// visit calls visitor with a page of origin; afterwards the console must have
// been silent, and no request may have gone elsewhere.
export async function visit(browser, origin, view, visitor) {
  const context = await browser.newContext({ baseURL: origin, ...view });
  const heard = [];
  context.on("request", (request) => {
    const { protocol, origin: to } = new URL(request.url());
    if (protocol !== "data:" && to !== origin) heard.push(`request to ${request.url()}`);
  });
  const page = await context.newPage();
  page.on("console", (message) => heard.push(`console: ${message.text()}`));
  page.on("pageerror", (error) => heard.push(`error: ${error.message}`));
  try {
    await visitor(page);
  } finally {
    await context.close();
  }
  assert.deepEqual(heard, []);
}

// violations are what axe-core finds on the page, all its rules taken together.
export async function violations(page) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate("axe.run()");
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" ")}`);
}

// overflow is how many pixels the page is wider than its window.
export function overflow(page) {
  return page.evaluate("document.documentElement.scrollWidth - innerWidth");
}
