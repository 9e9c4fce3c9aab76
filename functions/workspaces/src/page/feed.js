// What the chosen agent did: the newest lines of its activity.

import { Refusal, call } from "./api.js";
import { readFeed } from "./conversation.js";
import { byId, el, keyed, setText, time } from "./dom.js";

const LINES = 20;
let workspace = "";

/** Shows this workspace's activity. */
export function showFeed(id) {
  if (id === workspace) return;
  workspace = id;
  byId("feed").replaceChildren();
  setText(byId("feed-note"), id ? "Loading …" : "What the chosen agent does shows here.");
  byId("feed-note").hidden = false;
  refreshFeed();
}

/** Reads it anew. */
export async function refreshFeed() {
  const asked = workspace;
  if (!asked) return;
  let lines;
  try {
    lines = await readFeed((limit) => call("GET", `/workspaces/${asked}/activity?limit=${limit}`), LINES);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    if (asked === workspace && !error.away) setText(byId("feed-note"), error.message);
    return;
  }
  if (asked !== workspace) return;
  keyed(byId("feed"), lines, (line) => line.key, (line) => `${line.count} ${line.mark}`, item);
  setText(byId("feed-note"), "Nothing happened yet.");
  byId("feed-note").hidden = lines.length > 0;
}

function item(line) {
  const words = line.words.length > 160 ? `${line.words.slice(0, 160)} …` : line.words;
  return el(
    "li",
    { class: line.status === "error" ? "wrong" : "" },
    el("p", {}, words, line.count > 1 ? el("strong", {}, ` ×${line.count}`) : null),
    el("p", { class: "quiet" }, time(line.at), ` · ${line.type}${line.status === "ok" ? "" : `, ${line.status}`}`),
  );
}
