import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, overflow, views, violations, visit } from "./browser.mjs";
import { list, pathOf, start } from "./exporter.mjs";

let exporter;
let browser;
let failed;

before(async () => {
  exporter = await start();
  browser = await launch();
  [failed] = await list(exporter.url, "institution=uit&kind=api&target=organisasjoner");
  assert.equal(failed.reason, "key_rejected", "the demo's permanent fault");
});
after(async () => {
  await browser?.close();
  await exporter?.stop();
});

const open = (view, visitor) => visit(browser, exporter.url, view, visitor);
const failure = (page) => page.locator(`.failures a[href="./target?institution=uit&kind=api&target=organisasjoner"]`);

for (const javaScriptEnabled of [true, false]) {
  test(`the pages work with JavaScript ${javaScriptEnabled ? "on" : "off"}`, () =>
    open({ ...views.light, javaScriptEnabled }, async (page) => {
      await page.goto("/");
      assert.match(await page.title(), /^\d+ targets fail: .* – integra_exporter$/);
      assert.equal(await page.locator("#pause").isVisible(), javaScriptEnabled);
      assert.equal(await page.getByText("Without JavaScript").isVisible(), !javaScriptEnabled);
      await page.getByText("Filter", { exact: true }).click();
      await page.getByLabel("institution").selectOption("uit");
      await page.getByLabel("kind").selectOption("api");
      await page.getByRole("button", { name: "Show" }).click();
      assert.match(page.url(), /\?institution=uit&kind=api&target=&state=$/);
      assert.equal(await page.locator(".lists li a").count(), 4);
      await failure(page).click();
      assert.equal(await page.locator("h1").textContent(), failed.title);
      await page.getByText("What to do next:").waitFor();
      assert.ok((await page.locator("pre").first().textContent()).includes('"X-Gravitee-Api-Key: $KEY"'));
    }));
}

// tabTo presses Tab until target has the focus.
async function tabTo(page, target) {
  for (let presses = 0; presses < 200; presses++) {
    await page.keyboard.press("Tab");
    if (await target.evaluate((element) => element === document.activeElement)) return;
  }
  assert.fail("the keyboard does not reach the element");
}

test("the keyboard leads from a failure to its page and back", () =>
  open(views.light, async (page) => {
    await page.goto("/");
    await page.keyboard.press("Tab");
    const skip = page.getByRole("link", { name: "Skip to the content" });
    assert.ok(await skip.evaluate((element) => element === document.activeElement && element.getBoundingClientRect().left >= 0));
    await page.keyboard.press("Enter");
    await tabTo(page, failure(page));
    const outline = await failure(page).evaluate((element) => getComputedStyle(element).outline);
    assert.match(outline, /solid 3px/, "the focus is visible");
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/target\?/);
    await tabTo(page, page.getByRole("link", { name: "All targets" }));
    await page.keyboard.press("Enter");
    await page.waitForURL(`${exporter.url}/`);
    await tabTo(page, page.locator("#box-api"));
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate("document.activeElement.closest('.box').id"), "box-api", "its links follow");
  }));

// refreshed makes the page refresh, as its timer does, and waits for the result.
async function refreshed(page) {
  const before = await page.locator(".asof").textContent();
  await page.waitForFunction((clock) => new Date().toISOString().slice(11, 19) > clock.slice(11, 19), before);
  await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))");
  await page.waitForFunction((clock) => document.querySelector(".asof").textContent !== clock, before);
}

test("a refresh keeps focus, scrolling and an open filter", () =>
  open(views.narrow, async (page) => {
    await page.goto("/");
    await page.getByText("Filter", { exact: true }).click();
    await page.locator("#box-api").evaluate((box) => box.scrollTo(90, 0));
    await failure(page).focus();
    await page.evaluate("scrollTo(0, 400)");
    await refreshed(page);
    assert.equal(await page.evaluate("scrollY"), 400);
    assert.equal(await page.locator("#box-api").evaluate((box) => box.scrollLeft), 90);
    assert.ok(await failure(page).evaluate((element) => element === document.activeElement));
    assert.ok(await page.locator("search details").evaluate((details) => details.open));
  }));

test("refreshing can be paused, waits while text is selected, and reports a failure", () =>
  open(views.light, async (page) => {
    let asked = 0;
    await page.goto("/");
    page.on("request", () => asked++);
    const look = () => page.evaluate("document.dispatchEvent(new Event('visibilitychange'))");
    await page.getByRole("button", { name: "Pause refreshing" }).click();
    await look();
    await page.goto(pathOf(failed));
    asked = 0;
    await look();
    assert.equal(asked, 0, "paused, also on the next page");
    await page.getByRole("button", { name: "Resume refreshing" }).click();
    await page.waitForFunction("getSelection().isCollapsed");
    await refreshed(page);
    await page.evaluate("getSelection().selectAllChildren(document.querySelector('pre'))");
    asked = 0;
    await look();
    assert.equal(asked, 0, "something is selected");
    await page.evaluate("getSelection().removeAllRanges()");
    await page.route("**/*", (route) => route.fulfill({ body: "elsewhere" }));
    await look();
    await page.getByText("The exporter has not answered since").waitFor();
    assert.equal(await page.locator("h1").textContent(), failed.title, "the last content stays");
  }));

const paths = () => ({
  "the status page": "/",
  "a filtered page": "/?institution=uit&institution=uio&state=failed",
  "a page without targets": "/?institution=nowhere",
  "a failed target": pathOf(failed),
  "a target of kind auth": pathOf({ ...failed, kind: "auth" }),
  "a target of kind rabbitmq": "/target?institution=uio&kind=rabbitmq&target=system-production-dfo-sap",
  "a target of kind key": "/target?institution=uio&kind=key&target=maskinporten",
});

for (const [name, view] of Object.entries(views)) {
  test(`axe-core finds no violation, and nothing overflows: ${name}`, () =>
    open(view, async (page) => {
      for (const [what, path] of Object.entries(paths())) {
        const answer = await page.goto(path);
        assert.equal(answer.status(), 200, what);
        assert.deepEqual(await violations(page), [], what);
        assert.ok((await overflow(page)) <= 0, `${what} is too wide`);
      }
    }));
}

test("axe-core finds no violation on an error page", async () => {
  const context = await browser.newContext({ baseURL: exporter.url, ...views.narrow });
  const page = await context.newPage();
  for (const [path, status] of [["/?color=red", 400], ["/target?institution=a&kind=api&target=b", 404]]) {
    const answer = await page.goto(path);
    assert.equal(answer.status(), status);
    assert.deepEqual(await violations(page), []);
    await page.getByRole("link", { name: "Back to the status of all targets" }).waitFor();
  }
  await context.close();
});
