// From activity rows and what is still on its way to the lines of a chat. Pure: no page, no network, no clock.

/** How many rows the feed reads, and how many if its lines are not full then: as many as one list has. */
const FEED_ROWS = [50, 500];
/** How often in a row the question how a message stands may fail before the page goes by the log alone. */
const MOST_MISSES = 2;

const isObject = (it) => typeof it === "object" && it !== null && !Array.isArray(it);
const list = (it) => (Array.isArray(it) ? it.filter(isObject) : []);

/** The parts of an answer: of a message, of a task's artifacts or its status, or of a notification. */
export function answerParts(body) {
  if (!isObject(body)) return [];
  const { result } = body;
  const said = typeof result === "string" ? [{ kind: "text", text: result }] : [];
  const artifacts = list(result?.artifacts).flatMap((artifact) => list(artifact.parts));
  const status = list(result?.status?.message?.parts);
  const own = list(result?.parts);
  const found = own.length ? own : artifacts.length ? artifacts : status;
  return [...said, ...found, ...list(body.parts)];
}

/** The words of some parts, one part a line. */
export const textOf = (parts) =>
  parts.map((part) => part.text).filter((text) => typeof text === "string" && text).join("\n");

/** The files of some parts: `{uri, name, mimeType, size}`, or with `bytes` in base64 instead of `uri`. */
export const filesOf = (parts) => {
  const has = (file, key) => typeof file[key] === "string";
  return parts.map((part) => part.file).filter((file) => isObject(file) && (has(file, "uri") || has(file, "bytes")));
};

/** What went wrong by the answer itself, if something did. */
function errorOf(body) {
  const error = body?.error;
  if (typeof error === "string") return error;
  return isObject(error) ? String(error.message ?? JSON.stringify(error)) : "";
}

/** What an agent answered: words, files and perhaps an error. */
export function answer(body) {
  if (body?.truncated === true && typeof body.result_url === "string") {
    return { text: "", files: [{ uri: body.result_url, name: "The whole answer, for an hour" }], error: "" };
  }
  const parts = answerParts(body);
  const error = errorOf(body);
  let text = textOf(parts);
  const files = filesOf(parts);
  if (!text && !files.length && !error) text = body === null ? "(an answer that is no JSON)" : JSON.stringify(body, null, 2);
  return { text, files, error };
}

/** Whether an agent said this by itself. People may call a method `notify`, too; only a notification asked nobody. */
const isNotification = (row) =>
  row.method === "notify" && (row.request_body ?? null) === null && (row.target_id ?? null) === null;

const messageId = (row) => {
  const id = row.request_body?.params?.message?.messageId;
  return typeof id === "string" ? id : undefined;
};

/** The rows with what is known of the bodies that their list had no room for: from a list before, or because the
 *  answer was given to this tab. What a person has seen is not taken away again. */
export function complete(rows, before, entries) {
  const known = new Map(before.map((row) => [row.id, row]));
  const replies = new Map(entries.map((entry) => [entry.id, entry.reply]));
  const first = (...bodies) => bodies.find((body) => body !== undefined); // null is an answer, too
  return rows.map((row) => {
    const old = known.get(row.id);
    const whole = { ...row, request_body: first(row.request_body, old?.request_body) };
    return { ...whole, response_body: first(row.response_body, old?.response_body, replies.get(messageId(whole))) };
  });
}

/** The lines of a chat, oldest first: `{key, who, at, text, files, error, note, entry, request}`.
 *  `rows` are activity rows, the newest first; `truncated` says that their list left bodies out; `entries` are what
 *  this tab has sent and has no row yet. `settled` are the ids of those that it has no more use for. */
export function conversation(rows, entries, requests = {}, truncated = false) {
  const lines = [];
  const shown = new Set();
  const settled = new Set();
  const waiting = new Map(entries.filter(isWaiting).map((entry) => [entry.id, entry]));
  for (const row of [...rows].reverse()) {
    const ended = Date.parse(row.created_at) || 0;
    const sent = row.request_body?.params?.message;
    const given = messageId(row);
    const id = given !== undefined && !shown.has(given) ? given : row.id;
    const notified = isNotification(row);
    const unanswered = row.response_body === undefined;
    // Of an answer that broke off there is a row without a body, too. Only the list can tell that there was one.
    const leftOut = truncated && unanswered && row.status === "ok" && (notified || Boolean(row.duration_ms));
    // The row may be read before the answer, which is long, has come to this tab.
    const entry = leftOut ? waiting.get(id) : undefined;
    if (!notified) {
      shown.add(id);
      if (!entry) settled.add(id);
      const parts = list(sent?.parts);
      lines.push({
        key: `${id}/you`,
        who: "you",
        at: ended - (row.duration_ms ?? 0),
        text: textOf(parts) || (sent ? "" : "(a message too long to show here)"),
        files: filesOf(parts),
        error: row.status === "error" ? row.error_detail || "" : "",
        note: entry ? note(entry) : row.status === "ok" && unanswered && !row.duration_ms ? "Left for the agent to fetch" : "",
        request: requests[id],
      });
    }
    if (entry || (unanswered && !leftOut)) continue;
    const said = leftOut ? { text: tooLong(row, notified), files: [], error: "" } : answer(row.response_body);
    lines.push({ key: `${id}/agent`, who: "agent", at: ended, ...said, note: "" });
  }
  // Stable: what has the same time stays in the order of the log.
  lines.sort((a, b) => a.at - b.at);
  for (const entry of entries) {
    if (shown.has(entry.id)) continue;
    const { id, at, text, files, error } = entry;
    lines.push({ key: `${id}/you`, who: "you", at, text, files, error: error ?? "", note: note(entry), entry, request: entry.request });
    if (entry.reply !== undefined) {
      lines.push({ key: `${id}/agent`, who: "agent", at: entry.ended ?? at, ...answer(entry.reply), note: "" });
    }
  }
  return { lines, settled };
}

/** What stands for a text that the list had no room for; of a notification its row has the start. */
function tooLong(row, notified) {
  if (!notified) return "(an answer too long to show here)";
  const start = (row.summary ?? "").replace(/^Agent message: /, "");
  return start ? `${start}\n(the rest is too long to show here)` : "(a message too long to show here)";
}

/** Whether an answer may still come to this tab. Of one that waited in line it cannot if it is longer than the answer
 *  to the question how the message stands may be: that question fails each time then. */
const isWaiting = ({ state, misses }) => state === "sending" || (state === "queued" && !(misses > MOST_MISSES));

/** How a message that was sent stands. */
export function note(entry) {
  switch (entry.state) {
    case "sending":
      return "Waiting for the answer …";
    case "queued":
      return entry.position > 0 ? `Queued, position ${entry.position}` : "Being answered …";
    case "failed":
      return "Not answered";
    default:
      return "";
  }
}

/** Lines of the feed: the newest first, consecutive ones that say the same as one with its count. */
export function feed(rows, most) {
  const lines = [];
  for (const row of rows) {
    const words = row.summary || [row.activity_type, row.method].filter(Boolean).join(" ");
    const mark = [row.activity_type, row.method, words, row.status, row.error_detail].join("\n");
    const last = lines.at(-1);
    if (last?.mark === mark) {
      last.count += 1;
    } else if (lines.length === most) {
      break;
    } else {
      lines.push({ key: row.id, mark, words, type: row.activity_type, status: row.status, at: row.created_at, count: 1 });
    }
  }
  return lines;
}

/** The lines of the feed, from as many rows as they take: an agent may say one thing a hundred times. `read` gives the
 *  newest rows, so many. The few are read again with the many: no moment between two rows can be missed so. */
export async function readFeed(read, most) {
  let lines = [];
  for (const limit of FEED_ROWS) {
    const rows = await read(limit);
    lines = feed(rows, most);
    if (lines.length === most || rows.length < limit) break;
  }
  return lines;
}
