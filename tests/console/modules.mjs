// The page's modules where there is no page: each as a data URL, since no package says that its files are modules.

import { readFile } from "node:fs/promises";

const PAGE = new URL("../../functions/workspaces/src/page/", import.meta.url);

async function address(name) {
  let source = await readFile(new URL(name, PAGE), "utf8");
  for (const [whole, imported] of source.matchAll(/ from "\.\/([\w.]+)"/g)) {
    source = source.replace(whole, ` from "${await address(imported)}"`);
  }
  return `data:text/javascript;base64,${Buffer.from(source).toString("base64")}`;
}

/** A module of the page; the same one whoever asks for it. */
export const load = async (name) => import(await address(name));
