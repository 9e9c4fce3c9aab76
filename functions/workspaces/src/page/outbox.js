// What this tab has sent and is not in the agent's activity yet. It survives a reload: a message under way is sent
// again with its id then, and the platform answers a repeat with the first one's answer.

import { Refusal, call } from "./api.js";

const ENTRIES = "console.outbox";
const REQUESTS = "console.requests";
const MOST_REQUESTS = 300;
const FOLLOW_MS = 700;
const FOLLOW_SLOWLY_MS = 4000;
/** The longest time between two looks, also for an answer that asks for more: people look at this. */
const LONGEST_FOLLOW_MS = 60_000;
/** Answers by which there is nothing to follow. Any other trouble is of the way to it, and the message still waits. */
const NOTHING_THERE = new Set([400, 403, 404]);
/** How long the next message waits for the one before: the platform accepts within this, and answers when it can. */
const APART_MS = 1000;
const ENDED = new Set(["completed", "failed", "expired", "dropped"]);

const read = (key) => JSON.parse(sessionStorage.getItem(key) ?? "{}");
const entries = read(ENTRIES);
const requests = read(REQUESTS);
const lines = new Map(); // workspaces to when their next message may be sent

/** Tells `change` (detail: a workspace's id) and `settled` when an answer is there. */
export const outbox = new EventTarget();

/** What was sent to a workspace and has no row yet, oldest first. */
export const pending = (workspace) => entries[workspace] ?? [];

/** Which request carried which message: message ids to request ids. */
export const requestIds = () => requests;

function keep(workspace, entry, changes) {
  Object.assign(entry, changes);
  if (entry.request) {
    requests[entry.id] = entry.request;
    for (const old of Object.keys(requests).slice(0, -MOST_REQUESTS)) delete requests[old];
    sessionStorage.setItem(REQUESTS, JSON.stringify(requests));
  }
  store(workspace);
}

function store(workspace) {
  if (!pending(workspace).length) delete entries[workspace];
  try {
    sessionStorage.setItem(ENTRIES, JSON.stringify(entries));
  } catch {
    // A tab may keep some 5 MB. Answers stay on the page, and after a reload the log has them, or says that there were some.
    sessionStorage.setItem(ENTRIES, JSON.stringify(entries, (key, value) => (key === "reply" ? undefined : value)));
  }
  outbox.dispatchEvent(new CustomEvent("change", { detail: workspace }));
}

/** Sends a message: text, and files that are uploaded already. */
export function send(workspace, text, files) {
  const entry = { id: crypto.randomUUID(), at: Date.now(), text, files, state: "sending" };
  (entries[workspace] ??= []).push(entry);
  store(workspace);
  deliver(workspace, entry);
}

/** Sends one that failed again, with the same id: if it arrived after all, its answer comes. */
export function sendAgain(workspace, id) {
  const entry = pending(workspace).find((it) => it.id === id);
  if (!entry) return;
  keep(workspace, entry, { state: "sending", error: "" });
  deliver(workspace, entry);
}

/** Takes one out of the chat. */
export function discard(workspace, ids) {
  const left = pending(workspace).filter((entry) => !ids.has(entry.id));
  if (left.length === pending(workspace).length) return;
  entries[workspace] = left;
  store(workspace);
}

/** Goes on where the page was when it was left. */
export function resume() {
  for (const [workspace, list] of Object.entries(entries)) {
    for (const entry of list) {
      if (entry.state === "queued") follow(workspace, entry);
      if (entry.state === "sending") deliver(workspace, entry);
    }
  }
}

const body = (entry) => ({
  jsonrpc: "2.0",
  id: entry.id,
  method: "message/send",
  params: {
    message: {
      kind: "message",
      role: "user",
      messageId: entry.id,
      parts: [
        ...(entry.text ? [{ kind: "text", text: entry.text }] : []),
        ...entry.files.map((file) => ({ kind: "file", file })),
      ],
    },
  },
});

/** Posts a message, after those before it: two posts at once might be accepted in the other order. */
async function deliver(workspace, entry) {
  const turn = lines.get(workspace) ?? Promise.resolve();
  const posted = turn.then(() => post(workspace, entry));
  lines.set(workspace, turn.then(() => Promise.race([posted, new Promise((done) => setTimeout(done, APART_MS))])));
  await posted;
}

async function post(workspace, entry) {
  try {
    const said = await call("POST", `/workspaces/${workspace}/a2a`, { json: body(entry) });
    if (said.queued === true) {
      keep(workspace, entry, { state: "queued", request: said.queue_id, position: said.position ?? 0 });
      follow(workspace, entry);
    } else if (said.status === "queued" && said.delivery_mode === "poll") {
      // Its row is written: the message lies where the agent fetches it.
      keep(workspace, entry, { state: "left", request: said.queue_id });
      settled(workspace);
    } else {
      keep(workspace, entry, { state: "answered", reply: said, ended: Date.now() });
      settled(workspace);
    }
  } catch (error) {
    give(workspace, entry, error);
  }
}

/** Looks where the message stands until it has ended. */
async function follow(workspace, entry) {
  let wait = FOLLOW_MS;
  for (let round = 1; ; round += 1) {
    await new Promise((done) => setTimeout(done, wait));
    if (!pending(workspace).includes(entry)) return;
    try {
      const at = await call("GET", `/workspaces/${workspace}/a2a/requests/${entry.request}`);
      if (!ENDED.has(at.state)) {
        if (at.position !== entry.position || entry.misses) keep(workspace, entry, { position: at.position ?? 0, misses: 0 });
        wait = round < 60 ? FOLLOW_MS : FOLLOW_SLOWLY_MS;
        continue;
      }
      if (at.state === "completed") keep(workspace, entry, { state: "answered", reply: at.result ?? null, ended: Date.parse(at.ended_at) });
      else keep(workspace, entry, { state: "failed", error: at.error || `the message was ${at.state}` });
      settled(workspace);
      return;
    } catch (error) {
      if (!(error instanceof Refusal) || NOTHING_THERE.has(error.status)) {
        give(workspace, entry, error);
        return;
      }
      const misses = entry.misses ?? 0;
      wait = Math.min(Math.max(FOLLOW_SLOWLY_MS * 2 ** misses, error.retryAfter * 1000), LONGEST_FOLLOW_MS);
      keep(workspace, entry, { misses: misses + 1 });
    }
  }
}

function give(workspace, entry, error) {
  if (!(error instanceof Refusal)) throw error;
  keep(workspace, entry, { state: "failed", error: sentence(error) });
  settled(workspace);
}

/** The API's sentence, with the status of a workspace that cannot take messages. */
const sentence = (refusal) =>
  refusal.body.status ? `${refusal.message} (it is ${refusal.body.status})` : refusal.message;

const settled = (workspace) => outbox.dispatchEvent(new CustomEvent("settled", { detail: workspace }));
