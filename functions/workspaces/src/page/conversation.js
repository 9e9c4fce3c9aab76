// From activity rows and what is still on its way to the lines of a chat. Pure: no page, no network, no clock.

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

/** The lines of a chat, oldest first: `{key, who, at, text, files, error, note, entry, request}`.
 *  `rows` are activity rows, the newest first; `entries` what this tab has sent and has no row yet. */
export function conversation(rows, entries, requests = {}) {
  const lines = [];
  const settled = new Set();
  for (const row of [...rows].reverse()) {
    const ended = Date.parse(row.created_at) || 0;
    const sent = row.request_body?.params?.message;
    const id = typeof sent?.messageId === "string" && !settled.has(sent.messageId) ? sent.messageId : row.id;
    if (!isNotification(row)) {
      settled.add(id);
      const parts = list(sent?.parts);
      lines.push({
        key: `${id}/you`,
        who: "you",
        at: ended - (row.duration_ms ?? 0),
        text: textOf(parts) || (sent ? "" : "(a message too long to show here)"),
        files: filesOf(parts),
        error: row.status === "error" ? row.error_detail || "" : "",
        note: row.status === "ok" && row.response_body === undefined && !row.duration_ms ? "Left for the agent to fetch" : "",
        request: requests[id],
      });
    }
    if (row.response_body === undefined) continue;
    lines.push({ key: `${id}/agent`, who: "agent", at: ended, ...answer(row.response_body), note: "" });
  }
  // Stable: what has the same time stays in the order of the log.
  lines.sort((a, b) => a.at - b.at);
  for (const entry of entries) {
    if (settled.has(entry.id)) continue;
    const { id, at, text, files, error } = entry;
    lines.push({ key: `${id}/you`, who: "you", at, text, files, error: error ?? "", note: note(entry), entry, request: entry.request });
    if (entry.reply !== undefined) {
      lines.push({ key: `${id}/agent`, who: "agent", at: entry.ended ?? at, ...answer(entry.reply), note: "" });
    }
  }
  return { lines, settled };
}

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
