// What becomes of a message that waits, by what is answered to who asks for it; without a page, and without waiting.

import assert from "node:assert/strict";
import test from "node:test";

import { load } from "./modules.mjs";

const WORKSPACE = "0a1b2c3d-0000-4000-8000-00000000000f";
const kept = new Map();
const ROOM = 10_000; // a browser's is some five million
const storage = {
  getItem: (key) => kept.get(key) ?? null,
  setItem: (key, text) => {
    if (text.length > ROOM) throw new DOMException("no room", "QuotaExceededError");
    kept.set(key, text);
  },
};
Object.defineProperty(globalThis, "sessionStorage", { value: storage, configurable: true });

const waits = [];
const later = globalThis.setTimeout;
globalThis.setTimeout = (work, ms) => {
  waits.push(ms);
  return later(work, 0);
};

const { discard, outbox, pending, send } = await load("outbox.js");

const says = (body, status = 200, headers = {}) => new Response(JSON.stringify(body), { status, headers });
const gateway = (status, headers) => new Response("<html>", { status, headers });
const stands = (state, more) => says({ state, ...more });
const completed = () => stands("completed", { result: { result: "done" }, ended_at: "2026-01-01T00:00:00Z" });

/** Sends a message that waits, and answers in this order those who ask for it. How it ended, and how long each waited. */
async function follow(...answers) {
  globalThis.fetch = async (path, { method }) => {
    if (method === "POST") return says({ queued: true, queue_id: "r1", position: 1 }, 202);
    if (!path.includes("/a2a/requests/")) return says([]);
    const next = answers.shift();
    assert.ok(next, "nobody asks once it has ended");
    return next();
  };
  const ended = new Promise((done) => outbox.addEventListener("settled", done, { once: true }));
  waits.length = 0;
  send(WORKSPACE, "hello", []);
  await ended;
  const [{ id, state, error, reply }] = pending(WORKSPACE);
  discard(WORKSPACE, new Set([id]));
  assert.equal(answers.length, 0, "all were asked");
  return { state, error, reply, waits: waits.filter((ms) => ms !== 1000) }; // 1000: for the turn of the next message
}

test("a message that waits is followed until it is answered", async () => {
  const found = await follow(() => stands("waiting", { position: 1 }), () => stands("running", { position: 0 }), completed);
  assert.deepEqual(found, { state: "answered", error: undefined, reply: { result: "done" }, waits: [700, 700, 700] });
});

test("an answer that says nothing of the message does not end it", async () => {
  const broken = () => new Response('{"state": "compl', { status: 200 });
  for (const trouble of [
    () => gateway(503),
    () => gateway(504),
    () => gateway(502),
    () => says({ error: "internal error" }, 500),
    () => says({ error: "rate limit exceeded" }, 429),
    () => says({ error: "unauthenticated" }, 401),
    broken,
  ]) {
    const { state, waits } = await follow(trouble, () => stands("running", { position: 0 }), completed);
    assert.deepEqual([state, waits], ["answered", [700, 4000, 700]], String(trouble));
  }
});

test("trouble that stays is asked about ever more seldom, and as seldom as it says", async () => {
  const down = () => gateway(503);
  const wait = (seconds) => () => gateway(503, { "Retry-After": seconds });
  const many = await follow(down, down, down, down, down, down, completed);
  assert.equal(many.state, "answered");
  assert.deepEqual(many.waits, [700, 4000, 8000, 16_000, 32_000, 60_000, 60_000]);
  for (const [seconds, ms] of [["7", 7000], ["1", 4000], ["86400", 60_000], ["Wed, 25 Nov 2026 03:12:47 GMT", 4000], ["-5", 4000]]) {
    assert.deepEqual((await follow(wait(seconds), completed)).waits, [700, ms], seconds);
  }
});

test("a refusal of the question itself ends it, with its sentence", async () => {
  for (const status of [400, 403, 404]) {
    const { state, error, waits } = await follow(() => says({ error: "request not found" }, status));
    assert.deepEqual([state, error, waits], ["failed", "request not found", [700]], String(status));
  }
});

test("an answer that the tab cannot keep over a reload shows all the same", async () => {
  const answers = { hello: "x".repeat(ROOM), again: "short" };
  globalThis.fetch = async (path, { body }) => says({ result: answers[JSON.parse(body).params.message.parts[0].text] });
  const given = () => pending(WORKSPACE).map((entry) => [entry.state, entry.reply?.result]);
  for (const words of Object.keys(answers)) {
    const ended = new Promise((done) => outbox.addEventListener("settled", done, { once: true }));
    send(WORKSPACE, words, []);
    await ended;
  }
  assert.deepEqual(given(), [["answered", answers.hello], ["answered", "short"]]);
  const over = JSON.parse(kept.get("console.outbox"))[WORKSPACE];
  assert.deepEqual(over.map((entry) => [entry.text, entry.state]), [["hello", "answered"], ["again", "answered"]]);
});
