// The console: what is shown, and when it is read anew.

import { Refusal, call, hasToken, isAway, platform, retryNow, setToken } from "./api.js";
import { refreshApprovals } from "./approvals.js";
import { refreshChat, showChat, startChat } from "./chat.js";
import { composeFor, startComposer } from "./composer.js";
import { startDialogs } from "./dialogs.js";
import { byId, el, setText, soon } from "./dom.js";
import { refreshFeed, showFeed } from "./feed.js";
import { reconnect, startLive } from "./live.js";
import { outbox, resume } from "./outbox.js";
import { showTree, startTree } from "./tree.js";

let workspaces = null;
/** The chosen workspace: in the address, so that a reload shows it again. */
let selected = named() ?? "";

function named() {
  return /^#[0-9a-f-]{36}$/.test(location.hash) ? location.hash.slice(1) : null;
}

function choose(id) {
  selected = id;
  history.replaceState(null, "", `#${id}`);
  show();
  byId("text").focus({ preventScroll: true });
}

function show() {
  if (workspaces === null) return;
  const workspace = workspaces.find((it) => it.id === selected) ?? null;
  showTree(workspaces, selected);
  composeFor(workspace?.id ?? "");
  showChat(workspace);
  showFeed(workspace?.id ?? "");
  const note = byId("tree-note");
  if (workspaces.length) note.replaceChildren();
  else if (!note.querySelector("pre")) note.replaceChildren(...howToBegin());
  document.title = workspace ? `${workspace.name} · Console` : "Console";
}

function howToBegin() {
  const bearer = hasToken() ? ' -H "Authorization: Bearer $ADMIN_TOKEN"' : "";
  const line = `curl ${location.origin}/workspaces${bearer} --json '{"name":"Ada","external":true}'`;
  return [
    el("p", {}, "There is no agent yet. This makes a place for the first one:"),
    el("pre", {}, el("code", {}, line)),
    el("p", {}, "The answer says how an agent connects, with a whole one in Python to paste."),
  ];
}

async function refreshTree() {
  try {
    workspaces = await call("GET", "/workspaces");
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    if (workspaces === null && !error.away) setText(byId("tree-note"), error.message);
    return;
  }
  byId("sign-out").hidden = !hasToken();
  show();
}

function refreshAll() {
  if (isAway() || byId("token").open) return;
  refreshTree();
  refreshApprovals();
  refreshChat();
  refreshFeed();
}

const treeSoon = soon(refreshTree, 300);
const approvalsSoon = soon(refreshApprovals, 200);
const chatSoon = soon(refreshChat, 200);
const feedSoon = soon(refreshFeed, 500);

function onEvent({ event, workspace_id: id, payload }) {
  if (event === "WORKSPACE_HEARTBEAT" || event === "TASK_UPDATED") {
    const workspace = workspaces?.find((it) => it.id === id);
    if (!workspace) return;
    workspace.active_tasks = payload?.active_tasks ?? workspace.active_tasks;
    workspace.current_task = payload?.current_task ?? workspace.current_task;
    show();
    return;
  }
  if (event.startsWith("APPROVAL_")) approvalsSoon();
  if (/^(WORKSPACE_|AGENT_(?!MESSAGE))/.test(event)) treeSoon();
  if (id !== selected) return;
  if (event === "A2A_RESPONSE" || event === "AGENT_MESSAGE" || event === "ACTIVITY_LOGGED") chatSoon();
  feedSoon();
}

platform.addEventListener("away", ({ detail }) => {
  const { refusal, seconds } = detail;
  setText(byId("banner-title"), "Platform unavailable.");
  const next = seconds === 1 ? "in a second" : `within ${seconds} seconds`;
  setText(byId("banner-text"), `It says: ${refusal.message}. The next try is ${next}; what is shown may be old.`);
  byId("banner").hidden = false;
});
platform.addEventListener("back", () => {
  byId("banner").hidden = true;
  refreshAll();
});
byId("banner-retry").addEventListener("click", retryNow);
byId("sign-out").addEventListener("click", () => {
  setToken("");
  sessionStorage.clear();
  location.reload();
});
outbox.addEventListener("settled", ({ detail }) => detail === selected && feedSoon());
window.addEventListener("hashchange", () => named() && choose(named()));
byId("skip").addEventListener("click", (event) => {
  event.preventDefault(); // the address keeps the chosen workspace
  byId("chat").focus();
});

startTree(choose);
startChat();
startComposer();
startDialogs(() => {
  reconnect();
  refreshAll();
});
startLive(onEvent, refreshAll);
refreshTree();
refreshApprovals();
resume();
