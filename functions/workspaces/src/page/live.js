// Live events by WebSocket. While there is no socket the page asks every few seconds, and says so.

import { call, currentToken } from "./api.js";
import { byId, setText } from "./dom.js";

const POLL_MS = 4000;
const POLL_BESIDE_SOCKET_MS = 60_000;
const LONGEST_WAIT_MS = 30_000;
const MOST_IDS = 500;

let url = null;
let socket = null;
let open = false;
let wait = 1000;
let since = "";
const seen = new Set(); // what was told may be told again

/** Calls `onEvent` with each event once, and `onPoll` when it is time to ask. */
export async function startLive(onEvent, onPoll) {
  const tick = () => {
    if (!document.hidden) onPoll();
    setTimeout(tick, open ? POLL_BESIDE_SOCKET_MS : POLL_MS);
  };
  setTimeout(tick, POLL_MS);
  document.addEventListener("visibilitychange", () => document.hidden || onPoll());
  show();
  const config = await call("GET", "/console/config.json").catch(() => ({}));
  url = config.websocket_url || null;
  if (url) connect(onEvent, onPoll);
  show();
}

/** Connects anew, with the token as it is now. */
export function reconnect() {
  socket?.close();
}

function connect(onEvent, onPoll) {
  const address = since ? `${url}?since=${encodeURIComponent(since)}` : url;
  const token = currentToken();
  try {
    socket = new WebSocket(address, token ? ["bearer", token] : []);
  } catch {
    return; // a token that is none for a protocol, or an address that is none: asking goes on
  }
  socket.addEventListener("open", () => {
    open = true;
    wait = 1000;
    show();
    onPoll(); // what happened while it opened may be missed
  });
  socket.addEventListener("message", ({ data }) => {
    let event;
    try {
      event = JSON.parse(data);
    } catch {
      return;
    }
    if (event.id) {
      if (seen.has(event.id)) return;
      seen.add(event.id);
      if (seen.size > MOST_IDS) seen.delete(seen.values().next().value);
    }
    if (event.id && PERSISTED.test(event.event)) since = event.id;
    onEvent(event);
  });
  socket.addEventListener("close", () => {
    open = false;
    show();
    setTimeout(() => connect(onEvent, onPoll), wait);
    wait = Math.min(wait * 2, LONGEST_WAIT_MS);
  });
}

/** Events of the log: only their ids are places to go on from. */
const PERSISTED = /^(WORKSPACE_(?!HEARTBEAT)|AGENT_(?!MESSAGE)|APPROVAL_|DELEGATION_|CRON_|CHANNEL_)/;

function show() {
  setText(byId("connection"), open ? "Live" : `Asks every ${POLL_MS / 1000} s`);
  byId("connection").classList.toggle("live", open);
}
