// The exporter's demo, built from this tree and run until the tests end.
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

// start resolves to { url, stop } once every target of the demo has run.
export async function start() {
  const dir = mkdtempSync(join(tmpdir(), "integra-browser-"));
  const binary = process.env.INTEGRA_EXPORTER ?? join(dir, "integra_exporter");
  if (!process.env.INTEGRA_EXPORTER) {
    execFileSync("go", ["build", "-o", binary, "./cmd/integra_exporter"], { cwd: root, stdio: "inherit" });
  }
  const child = spawn(binary, ["demo", "--web.listen-address=127.0.0.1:0", "--log.level=error"]);
  child.stderr.resume();
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const stop = async () => {
    child.kill("SIGTERM");
    await ended;
    rmSync(dir, { recursive: true });
  };
  try {
    const url = await address(child, ended);
    await settled(url);
    return { url, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

// address reads from the demo's greeting where it listens.
function address(child, ended) {
  return new Promise((resolve, reject) => {
    let greeting = "";
    child.stdout.on("data", (part) => {
      greeting += part;
      const found = /status page\s+(http:\S+?)\/\s/.exec(greeting);
      if (found) resolve(found[1]);
    });
    ended.then((code) => reject(new Error(`the demo has ended with ${code}`)));
  });
}

const patience = 60_000;

async function settled(url) {
  const end = Date.now() + patience;
  while ((await list(url, "state=waiting")).length > 0) {
    if (Date.now() > end) throw new Error("the demo's targets do not run");
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

// list resolves to the documents of the targets that query asks for.
export async function list(url, query) {
  const answer = await fetch(`${url}/api/v1/targets?${query}`);
  return answer.json();
}

// pathOf returns the path of a target's page.
export function pathOf({ institution, kind, target }) {
  return `/target?${new URLSearchParams({ institution, kind, target })}`;
}
