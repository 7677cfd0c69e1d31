import { mkdirSync, writeFileSync } from "node:fs";
import { files } from "./files";

/** Writes every dashboard into the folder that is named, this project's if none is. */
const folder = process.argv[2] ?? ".";
mkdirSync(folder, { recursive: true });
for (const [file, text] of files()) {
  writeFileSync(`${folder}/${file}`, text);
}
