import { build } from "./board";
import { exporter } from "./exporter";
import { keys } from "./keys";
import { overview } from "./overview";
import { rabbitmq } from "./rabbitmq";
import { targetBoard } from "./target";

const boards = {
  "overview.json": overview,
  "target.json": targetBoard,
  "rabbitmq.json": rabbitmq,
  "keys.json": keys,
  "exporter.json": exporter,
};

/** Each file's name and text. */
export function files(): [file: string, text: string][] {
  return Object.entries(boards).map(([file, board]) => [file, `${JSON.stringify(build(board()), null, 2)}\n`]);
}
