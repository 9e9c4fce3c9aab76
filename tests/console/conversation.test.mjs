// The rules of the chat and the feed, without a page.

import assert from "node:assert/strict";
import test from "node:test";

import { load } from "./modules.mjs";

const { answer, complete, conversation, feed, readFeed } = await load("conversation.js");

const text = (words) => ({ kind: "text", text: words });
const sent = (id, words) => ({ params: { message: { messageId: id, parts: [text(words)] } } });
const said = (words) => ({ result: { parts: [text(words)] } });
const row = (id, second, more) => ({
  id,
  activity_type: "a2a_receive",
  method: "message/send",
  status: "ok",
  duration_ms: 1000,
  created_at: `2026-01-01T00:00:${String(second).padStart(2, "0")}Z`,
  ...more,
});
const words = ({ lines }) => lines.map((line) => `${line.who}: ${line.text}${line.error && `!${line.error}`}`);

test("answers are read wherever agents put them", () => {
  const file = { uri: "workspace:/workspace/a.txt", name: "a.txt" };
  for (const [body, expected] of [
    [said("parts"), ["parts", 0, ""]],
    [{ result: { parts: [{ type: "text", text: "typed" }] } }, ["typed", 0, ""]],
    [{ result: { artifacts: [{ parts: [text("one")] }, { parts: [text("two")] }] } }, ["one\ntwo", 0, ""]],
    [{ result: { status: { message: { parts: [text("status")] } } } }, ["status", 0, ""]],
    [{ result: "a note", parts: [{ kind: "file", file }] }, ["a note", 1, ""]],
    [{ result: { parts: [{ kind: "file", file: { bytes: "aGk=", name: "hi.txt" } }, { kind: "file", file: {} }] } }, ["", 1, ""]],
    [{ error: { code: -32601, message: "unknown method" } }, ["", 0, "unknown method"]],
    [{ error: "asked to fail" }, ["", 0, "asked to fail"]],
    [{ truncated: true, result_url: "https://files.example/1" }, ["", 1, ""]],
    [{ result: 7 }, ['{\n  "result": 7\n}', 0, ""]],
    [null, ["(an answer that is no JSON)", 0, ""]],
    [{ result: { parts: "no list" } }, ['{\n  "result": {\n    "parts": "no list"\n  }\n}', 0, ""]],
    [{ result: { parts: [null, { kind: "file", file: null }, text("kept")] } }, ["kept", 0, ""]],
  ]) {
    const found = answer(body);
    assert.deepEqual([found.text, found.files.length, found.error], expected, JSON.stringify(body));
  }
});

test("rows become lines, the oldest first, each when it was said", () => {
  const rows = [
    row("3", 9, { request_body: sent("m3", "late"), status: "error", error_detail: "no such agent" }),
    row("2", 5, { request_body: sent("m2", "slow"), response_body: said("done"), duration_ms: 4000 }),
    row("1", 3, { method: "notify", duration_ms: null, response_body: { result: "a note" } }),
  ];
  assert.deepEqual(words(conversation(rows, [])), ["you: slow", "agent: a note", "agent: done", "you: late!no such agent"]);
});

test("what was sent shows until its row is there, once", () => {
  const entry = { id: "m2", at: 5, text: "second", files: [], state: "queued", position: 2, request: "r2" };
  const first = row("1", 1, { request_body: sent("m1", "first"), response_body: said("one") });
  const before = conversation([first], [entry]);
  assert.deepEqual(words(before), ["you: first", "agent: one", "you: second"]);
  assert.equal(before.lines.at(-1).note, "Queued, position 2");
  assert.ok(!before.settled.has("m2"));

  const second = row("2", 9, { request_body: sent("m2", "second"), response_body: said("two") });
  const after = conversation([second, first], [entry], { m2: "r2" });
  assert.deepEqual(words(after), ["you: first", "agent: one", "you: second", "agent: two"]);
  assert.equal(after.lines[2].request, "r2");
  assert.ok(after.settled.has("m2"));
  // The same line before and after: it is not drawn or read out again.
  assert.equal(after.lines[2].key, before.lines[2].key);
});

test("two rows of one message id are two lines with keys of their own", () => {
  const rows = [2, 1].map((at) => row(String(at), at, { request_body: sent("same", `${at}`), response_body: said("ok") }));
  const { lines } = conversation(rows, []);
  assert.equal(new Set(lines.map((line) => line.key)).size, 4);
});

test("a person's message whose method is called notify stays the person's", () => {
  const target_id = "0a1b2c3d-0000-4000-8000-00000000000f";
  const rows = [
    // Too long to be in the list: whom it went to still tells that it is a message.
    row("3", 3, { method: "notify", target_id, duration_ms: null }),
    row("2", 2, { method: "notify", target_id, request_body: sent("m2", "asked"), response_body: said("answered") }),
    row("1", 1, { method: "notify", target_id: null, duration_ms: null, response_body: { result: "a note" } }),
  ];
  const found = conversation(rows, []);
  assert.deepEqual(words(found), ["agent: a note", "you: asked", "agent: answered", "you: (a message too long to show here)"]);
  assert.ok(found.settled.has("m2"));
});

const TOO_LONG = "agent: (an answer too long to show here)";

test("an answer that the list had no room for is said to be there; of one that never came nothing is", () => {
  const rows = [
    row("5", 5, { method: "notify", duration_ms: null }),
    row("4", 4, { method: "notify", duration_ms: null, summary: "Agent message: the start of it…" }),
    row("3", 3, { request_body: sent("m3", "fetch it"), duration_ms: null }),
    row("2", 2, { request_body: sent("m2", "fails"), status: "error", error_detail: "no such agent" }),
    row("1", 1, { request_body: sent("m1", "a book") }),
  ];
  const mine = ["you: a book", "you: fails!no such agent", "you: fetch it"];
  // The log has rows of answers whose bodies never came; only the list as a whole says whether it left any out.
  assert.deepEqual(words(conversation(rows, [])).sort(), mine);
  const found = conversation(rows, [], {}, true);
  assert.deepEqual(words(found).sort(), [
    "agent: (a message too long to show here)",
    TOO_LONG,
    "agent: the start of it…\n(the rest is too long to show here)",
    ...mine,
  ].sort());
  const note = (start) => found.lines.find((line) => line.text === start).note;
  assert.deepEqual([note("fetch it"), note("a book")], ["Left for the agent to fetch", ""]);
});

test("what was read of a row stays, though a later list has no room for it", () => {
  const short = row("1", 1, { request_body: sent("m1", "first"), response_body: said("one") });
  const bare = row("1", 1);
  const later = row("2", 2, { request_body: sent("m2", "second"), response_body: null });
  const rows = complete([later, bare], [short], []);
  assert.deepEqual(words(conversation(rows, [], {}, true)), [
    "you: first", "agent: one", "you: second", "agent: (an answer that is no JSON)",
  ]);
  // What a list has counts, and a row that is new is as it is.
  assert.deepEqual(complete([{ ...short, response_body: null }], [short], []), [{ ...short, response_body: null }]);
  assert.deepEqual(words(conversation(complete([bare], [], []), [], {}, true)), ["you: (a message too long to show here)", TOO_LONG]);
});

test("an answer that this tab was given stays when its row comes without it", () => {
  const entry = (more) => ({ id: "m1", at: 0, text: "a book", files: [], request: "r1", ...more });
  const bare = [row("1", 1, { request_body: sent("m1", "a book") })];
  const stands = (entries) => {
    const rows = complete(bare, [], entries);
    const { lines, settled } = conversation(rows, entries, {}, true);
    return { lines: lines.map((line) => `${line.text}|${line.note}|${line.files.length}`), settled: settled.has("m1"), rows };
  };

  const given = stands([entry({ state: "answered", reply: said("all of it") })]);
  assert.deepEqual([given.lines, given.settled], [["a book||0", "all of it||0"], true]);
  const linked = stands([entry({ state: "answered", reply: { truncated: true, result_url: "https://files.example/1" } })]);
  assert.deepEqual(linked.lines, ["a book||0", "||1"]);
  // The row has it now: it stays without the entry.
  const after = conversation(complete(bare, given.rows, []), [], {}, true);
  assert.deepEqual(words(after), ["you: a book", "agent: all of it"]);

  // The row may be read before the answer has come: the entry is still waited for, and shows once.
  const waiting = stands([entry({ state: "sending" })]);
  assert.deepEqual([waiting.lines, waiting.settled], [["a book|Waiting for the answer …|0"], false]);
  assert.equal(stands([entry({ state: "queued", position: 0, misses: 2 })]).settled, false);
  // But not for ever: an answer too long for the question about its message is never given.
  const short = "(an answer too long to show here)";
  for (const ended of [{ state: "queued", position: 0, misses: 3 }, { state: "failed", error: "gateway" }, { state: "answered" }]) {
    const { lines, settled } = stands([entry(ended)]);
    assert.deepEqual([lines, settled], [["a book||0", `${short}||0`], true], JSON.stringify(ended));
  }
});

test("the feed collapses what repeats in a row, and nothing else", () => {
  const beat = (id, summary) => ({ id, activity_type: "task_update", method: null, summary, status: "ok", error_detail: null, created_at: "" });
  const rows = [beat("6", "a"), beat("5", "a"), beat("4", "b"), beat("3", "a"), beat("2", "a"), beat("1", "a")];
  const shown = (most) => feed(rows, most).map((line) => [line.words, line.count]);
  assert.deepEqual(shown(20), [["a", 2], ["b", 1], ["a", 3]]);
  assert.deepEqual(shown(2), [["a", 2], ["b", 1]]);
  assert.deepEqual(feed([beat("1", "")], 1)[0].words, "task_update");
});

test("the feed reads on until its lines are full, the rows end or it has the most there are to have", async () => {
  const log = (...runs) => runs.flatMap(([summary, times]) =>
    Array.from({ length: times }, (_, at) => ({ id: `${summary}${at}`, activity_type: "agent_log", summary, status: "ok" })));
  const others = (count) => Array.from({ length: count }, (_, at) => [`other ${at}`, 1]);
  for (const [what, rows, reads, lines, last] of [
    ["nothing", [], [50], 0],
    ["few rows", log(...others(3)), [50], 3, ["other 2", 1]],
    ["enough lines", log(...others(60)), [50], 20, ["other 19", 1]],
    ["one line again and again, and others below", log(["again", 60], ...others(30)), [50, 500], 20, ["other 18", 1]],
    ["one line again and again, and nothing else", log(["again", 60]), [50, 500], 1, ["again", 60]],
    ["one line more often than is read", log(["again", 700], ...others(30)), [50, 500], 1, ["again", 500]],
  ]) {
    const asked = [];
    const read = async (limit) => {
      asked.push(limit);
      return rows.slice(0, limit);
    };
    const found = await readFeed(read, 20);
    assert.deepEqual([asked, found.length], [reads, lines], what);
    if (last) assert.deepEqual([found.at(-1).words, found.at(-1).count], last, what);
  }
});
