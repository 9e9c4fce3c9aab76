// The organisation as a tree: who is there, below whom, and how they are. Arrow keys move, Enter chooses.

import { byId, el, keyed, setText } from "./dom.js";

const tree = byId("tree");
const find = byId("find");
const closed = new Set(JSON.parse(sessionStorage.getItem("console.closed") ?? "[]"));
let workspaces = [];
let selected = "";
let focused = "";
let choose = () => {};

/** Statuses in words for people. */
const WORDS = { awaiting_agent: "awaiting agent" };
export const statusWords = (status) => WORDS[status] ?? status;

/** Connects the tree; `chosen` is called with the id of a workspace. */
export function startTree(chosen) {
  choose = chosen;
  tree.addEventListener("click", (event) => {
    const item = event.target.closest("[role=treeitem]");
    if (!item) return;
    focused = item.dataset.key;
    if (event.target.closest(".twist")) toggle(focused, closed.has(focused));
    else choose(focused);
    draw();
  });
  tree.addEventListener("keydown", onKey);
  find.addEventListener("input", draw);
}

export function showTree(list, chosen) {
  workspaces = list;
  selected = chosen;
  draw();
}

/** Depth first, roots and siblings in the order of the API; a parent that is not there makes a root. */
function flat() {
  const ids = new Set(workspaces.map((workspace) => workspace.id));
  const below = new Map();
  for (const workspace of workspaces) {
    const parent = ids.has(workspace.parent_id) ? workspace.parent_id : "";
    if (!below.has(parent)) below.set(parent, []);
    below.get(parent).push(workspace);
  }
  const words = find.value.trim().toLowerCase();
  const rows = [];
  const walk = (parent, level) => {
    const siblings = below.get(parent) ?? [];
    siblings.forEach((workspace, at) => {
      const children = below.has(workspace.id);
      const open = children && (words !== "" || !closed.has(workspace.id));
      const mine = rows.length;
      rows.push({ workspace, level, children, open, at: at + 1, of: siblings.length, parent });
      if (open) walk(workspace.id, level + 1);
      const fits = `${workspace.name} ${workspace.role ?? ""}`.toLowerCase().includes(words);
      // While somebody looks for a name, only those it fits and whoever stands above them show.
      if (words && !fits && rows.length === mine + 1) rows.pop();
    });
  };
  walk("", 1);
  return rows;
}

function draw() {
  const rows = flat();
  if (!rows.some(({ workspace }) => workspace.id === focused)) {
    const first = rows.find(({ workspace }) => workspace.id === selected) ?? rows[0];
    focused = first?.workspace.id ?? "";
  }
  const hadFocus = tree.contains(document.activeElement);
  keyed(tree, rows, (row) => row.workspace.id, mark, item);
  if (hadFocus) focus(false);
  tree.setAttribute("aria-busy", "false");
  const online = workspaces.filter((workspace) => workspace.status === "online").length;
  setText(byId("count"), workspaces.length ? `${online} of ${workspaces.length} online` : "");
}

const mark = ({ workspace, level, children, open, at, of }) =>
  JSON.stringify([
    workspace.name, workspace.status, workspace.current_task, workspace.active_tasks, level, children, open, at, of,
    workspace.id === selected, workspace.id === focused,
  ]);

function item({ workspace, level, children, open, at, of }) {
  const working = workspace.active_tasks > 0 ? `${workspace.active_tasks} active` : "";
  const task = workspace.current_task || working;
  return el(
    "li",
    {
      role: "treeitem",
      class: `level-${Math.min(level, 8)}`,
      tabindex: workspace.id === focused ? "0" : "-1",
      "aria-level": level,
      "aria-posinset": at,
      "aria-setsize": of,
      "aria-selected": String(workspace.id === selected),
      "aria-expanded": children ? String(open) : null,
    },
    el("span", { class: children ? "twist" : "no-twist", "aria-hidden": "true" }, children ? (open ? "▾" : "▸") : ""),
    el("span", { class: `dot ${workspace.status}`, "aria-hidden": "true" }),
    el(
      "span",
      { class: "who" },
      el("span", { class: "name" }, workspace.name || workspace.id),
      el("span", { class: "quiet state" }, statusWords(workspace.status)),
      task ? el("span", { class: "quiet task" }, task) : null,
    ),
  );
}

function toggle(id, open) {
  if (open) closed.delete(id);
  else closed.add(id);
  sessionStorage.setItem("console.closed", JSON.stringify([...closed]));
}

function focus(scroll = true) {
  const item = [...tree.children].find((child) => child.dataset.key === focused);
  item?.focus({ preventScroll: !scroll });
}

function onKey(event) {
  if (event.altKey || event.ctrlKey || event.metaKey) return;
  const rows = flat();
  const at = rows.findIndex(({ workspace }) => workspace.id === focused);
  if (at < 0) return;
  const row = rows[at];
  const to = (index) => {
    focused = rows[Math.max(0, Math.min(rows.length - 1, index))].workspace.id;
  };
  switch (event.key) {
    case "ArrowDown":
      to(at + 1);
      break;
    case "ArrowUp":
      to(at - 1);
      break;
    case "Home":
      to(0);
      break;
    case "End":
      to(rows.length - 1);
      break;
    case "ArrowRight":
      if (row.open) to(at + 1);
      else if (row.children) toggle(focused, true);
      break;
    case "ArrowLeft":
      if (row.open) toggle(focused, false);
      else if (row.parent) focused = row.parent;
      break;
    case "Enter":
    case " ":
      event.preventDefault();
      choose(focused); // which moves on to the message
      return;
    default:
      return;
  }
  event.preventDefault();
  draw();
  focus();
}
