import { mkdirSync, writeFileSync } from "node:fs";
import { files } from "./files";

/** Writes every dashboard into the folder given as argument, by default this project's. */
const folder = process.argv[2] ?? ".";
mkdirSync(folder, { recursive: true });
for (const [file, text] of files()) {
  writeFileSync(`${folder}/${file}`, text);
}
