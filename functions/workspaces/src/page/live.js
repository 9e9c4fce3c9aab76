// Live events by WebSocket. While there is no socket the page polls every few seconds, and says so.

import { call, currentToken } from "./api.js";
import { byId, setText } from "./dom.js";

const POLL_MS = 4000;
const POLL_BESIDE_SOCKET_MS = 60_000;
const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 30_000;
const MOST_IDS = 500;
/** Events of the log: only their ids are places to go on from. */
const IN_LOG = /^(WORKSPACE_(?!HEARTBEAT)|AGENT_(?!MESSAGE)|APPROVAL_|DELEGATION_|CRON_|CHANNEL_)/;

let onEvent, onPoll;
let url = "";
let socket = null;
let open = false;
let wait = FIRST_WAIT_MS;
let pollTimer, connectTimer;
let since = "";
const seen = new Set(); // what was told may be told again

/** Calls `event` with each event once, and `poll` when it is time to ask. */
export async function startLive(event, poll) {
  [onEvent, onPoll] = [event, poll];
  document.addEventListener("visibilitychange", () => document.hidden || onPoll());
  stands(false);
  const config = await call("GET", "/console/config.json").catch(() => ({}));
  url = config.websocket_url || "";
  if (url) connect();
}

/** Connects anew, with the token as it is now. */
export function reconnect() {
  wait = FIRST_WAIT_MS;
  if (!url) return;
  if (socket && socket.readyState < WebSocket.CLOSING) socket.close();
  else connect();
}

function stands(isOpen) {
  open = isOpen;
  setText(byId("connection"), open ? "Live" : `Polling every ${POLL_MS / 1000} s`);
  byId("connection").classList.toggle("live", open);
  schedule();
}

function schedule() {
  clearTimeout(pollTimer);
  pollTimer = setTimeout(
    () => {
      if (!document.hidden) onPoll();
      schedule();
    },
    open ? POLL_BESIDE_SOCKET_MS : POLL_MS,
  );
}

/** A token as a protocol may carry it: many have characters that none may have. */
function base64url(text) {
  const bytes = String.fromCharCode(...new TextEncoder().encode(text));
  return btoa(bytes).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function connect() {
  clearTimeout(connectTimer);
  const token = currentToken();
  const address = since ? `${url}?since=${encodeURIComponent(since)}` : url;
  try {
    socket = new WebSocket(address, token ? ["bearer", `base64url.bearer.${base64url(token)}`] : []);
  } catch {
    return; // an address that is none: polling goes on
  }
  socket.addEventListener("open", () => {
    wait = FIRST_WAIT_MS;
    stands(true);
    onPoll(); // what happened while it opened may be missed
  });
  socket.addEventListener("message", ({ data }) => heard(data));
  socket.addEventListener("close", () => {
    if (open) stands(false);
    connectTimer = setTimeout(connect, wait);
    wait = Math.min(wait * 2, LONGEST_WAIT_MS);
  });
}

function heard(data) {
  let event;
  try {
    event = JSON.parse(data);
  } catch {
    return;
  }
  if (typeof event?.event !== "string") return;
  if (event.id) {
    if (seen.has(event.id)) return;
    seen.add(event.id);
    if (seen.size > MOST_IDS) seen.delete(seen.values().next().value);
    if (IN_LOG.test(event.event)) since = event.id;
  }
  onEvent(event);
}
