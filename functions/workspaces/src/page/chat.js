// The chat with one workspace: its history, and what this tab has sent to it.

import { Refusal, exchange } from "./api.js";
import { complete, conversation } from "./conversation.js";
import { openTimeline } from "./dialogs.js";
import { byId, el, keyed, longText, setText, time } from "./dom.js";
import { attachment } from "./files.js";
import { discard, outbox, pending, requestIds, sendAgain } from "./outbox.js";
import { statusWords } from "./tree.js";

const log = byId("log");
const NEAR_PX = 80;
/** Statuses in which a message is not answered at once, and what becomes of it. */
const WAITS = {
  offline: "It is offline. A message waits, or is refused if nothing can start it.",
  paused: "It is paused: resume it to talk to it.",
  hibernating: "It sleeps. A message wakes it.",
  hibernated: "It sleeps. A message wakes it.",
  provisioning: "It is starting. A message waits until its agent is there.",
  awaiting_agent: "No agent has registered for it yet.",
  failed: "It did not start.",
};

let workspace = null;
let rows = null;
let truncated = false; // whether the list had no room for some bodies
let trouble = "";
const known = new Map(); // workspaces to their rows with the bodies that were shown

export function startChat() {
  outbox.addEventListener("change", ({ detail }) => detail === workspace?.id && draw());
  outbox.addEventListener("settled", ({ detail }) => detail === workspace?.id && refreshChat());
}

/** Shows the chat with this workspace, or how it stands now if it is shown already. */
export function showChat(next) {
  const other = next?.id !== workspace?.id;
  workspace = next;
  if (other) {
    rows = null;
    trouble = "";
    log.replaceChildren();
    if (next) refreshChat();
  }
  byId("composer").hidden = !next;
  setText(byId("chat-title"), next ? next.name || next.id : "No agent chosen");
  const words = next ? [statusWords(next.status), next.role, next.current_task] : [];
  setText(byId("chat-status"), words.filter(Boolean).join(" · "));
  draw();
}

/** Reads the history anew. */
export async function refreshChat() {
  const asked = workspace?.id;
  if (!asked) return;
  try {
    const path = `/workspaces/${asked}/activity?type=a2a_receive&source=canvas&limit=50`;
    const { said, headers } = await exchange("GET", path);
    if (asked !== workspace?.id) return;
    rows = said;
    truncated = headers.get("X-Bodies-Truncated") === "true";
    trouble = "";
  } catch (error) {
    if (!(error instanceof Refusal) || asked !== workspace?.id) throw error;
    if (!error.away) trouble = error.message;
  }
  draw();
}

function draw() {
  const note = byId("chat-note");
  if (!workspace) {
    setText(note, "Choose an agent of the organisation to talk to it.");
    note.hidden = false;
    return;
  }
  const { id } = workspace;
  if (rows) {
    rows = complete(rows, known.get(id) ?? [], pending(id));
    known.set(id, rows);
  }
  const { lines, settled } = conversation(rows ?? [], pending(id), requestIds(), truncated);
  const follow = log.scrollHeight - log.scrollTop - log.clientHeight < NEAR_PX;
  log.setAttribute("aria-busy", String(rows === null));
  keyed(log, lines, (line) => line.key, mark, bubble);
  if (follow) log.scrollTop = log.scrollHeight;
  const loading = rows === null && !trouble ? "Loading …" : "";
  const empty = rows && !lines.length ? "Nothing was said yet." : "";
  const words = [trouble || loading || empty, WAITS[workspace.status]].filter(Boolean).join(" ");
  setText(note, words);
  note.hidden = !words;
  discard(id, settled);
}

const mark = ({ entry, ...line }) => JSON.stringify([line, entry?.state, line.who === "agent" && workspace.name]);

function bubble(line) {
  const mine = line.who === "you";
  const { id } = workspace;
  const foot = el("p", { class: "foot" });
  if (line.note) foot.append(el("span", { class: "quiet note-text" }, line.note));
  if (line.request) {
    foot.append(el("button", { type: "button", class: "link", onclick: () => openTimeline(id, line.request) }, "Timeline"));
  }
  if (line.entry?.state === "failed") {
    const { entry } = line;
    foot.append(
      el("button", { type: "button", class: "link", onclick: () => sendAgain(id, entry.id) }, "Send again"),
      el("button", { type: "button", class: "link", onclick: () => discard(id, new Set([entry.id])) }, "Discard"),
    );
  }
  return el(
    "article",
    { class: `bubble ${line.who}${line.error ? " wrong" : ""}` },
    el("p", { class: "by" }, el("strong", {}, mine ? "You" : workspace.name || "Agent"), " ", time(new Date(line.at).toISOString())),
    line.text ? longText(line.text) : null,
    line.files.length ? el("ul", { class: "files" }, ...line.files.map((file) => el("li", {}, attachment(id, file)))) : null,
    line.error ? el("p", { class: "error" }, line.error) : null,
    foot.childNodes.length ? foot : null,
  );
}
