import { mkdirSync, writeFileSync } from "node:fs";
import { files } from "./files";

/** Writes every dashboard into the folder that is named, json/ if none is. */
const folder = process.argv[2] ?? "json";
mkdirSync(folder, { recursive: true });
for (const [file, text] of files()) {
  writeFileSync(`${folder}/${file}`, text);
}
