// Where a message is written: text and files. What is written but not sent stays with its workspace.

import { byId, el, size } from "./dom.js";
import { upload } from "./files.js";
import { send } from "./outbox.js";

const text = byId("text");
const chosen = byId("chosen");
const button = byId("send");
const drafts = new Map();
const bars = new Map(); // files to how much of them is there
let workspace = "";
let files = [];

export function startComposer() {
  byId("composer").addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
  text.addEventListener("keydown", (event) => {
    // While an input method composes a word, Enter belongs to it.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    submit();
  });
  byId("files").addEventListener("change", (event) => {
    files = [...files, ...event.target.files];
    event.target.value = "";
    draw();
  });
}

/** Composes for this workspace from now on. */
export function composeFor(id) {
  if (id === workspace) return;
  drafts.set(workspace, { text: text.value, files });
  workspace = id;
  const draft = drafts.get(id) ?? { text: "", files: [] };
  text.value = draft.text;
  files = draft.files;
  draw();
}

function draw(trouble = "") {
  bars.clear();
  const items = files.map((file) => {
    const bar = el("progress", { max: 1, value: 0, hidden: true, "aria-label": `Upload of ${file.name}` });
    bars.set(file, bar);
    const label = `Remove ${file.name}`;
    const button = el("button", { type: "button", class: "link", "aria-label": label, onclick: () => remove(file) }, "Remove");
    return el("li", {}, `${file.name}, ${size(file.size)} `, button, bar);
  });
  if (trouble) items.push(el("li", { class: "error", role: "alert" }, `The files were not sent: ${trouble}.`));
  chosen.replaceChildren(...items);
}

/** Shows how much of a file is there. */
function progress(file, share) {
  const bar = bars.get(file);
  if (!bar) return;
  bar.hidden = false;
  bar.value = share;
}

function remove(file) {
  files = files.filter((other) => other !== file);
  draw();
  text.focus();
}

async function submit() {
  const [to, words, attached] = [workspace, text.value.trim(), files];
  if (!to || button.disabled || (!words && !attached.length)) return;
  button.disabled = true;
  try {
    const stored = await upload(to, attached, progress);
    send(to, words, stored);
    drafts.delete(to);
    if (to === workspace) {
      text.value = "";
      files = [];
      draw();
    }
  } catch (error) {
    draw(error.message);
  }
  button.disabled = false;
  if (to === workspace) text.focus();
}
