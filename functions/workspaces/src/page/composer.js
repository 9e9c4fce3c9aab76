// Where a message is written: text and files. What is written but not sent stays with its workspace.

import { byId, el, size } from "./dom.js";
import { upload } from "./files.js";
import { send } from "./outbox.js";

const text = byId("text");
const chosen = byId("chosen");
const button = byId("send");
const drafts = new Map();
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
  const items = files.map((file) =>
    el(
      "li",
      {},
      `${file.name}, ${size(file.size)} `,
      el("button", { type: "button", class: "link", "aria-label": `Remove ${file.name}`, onclick: () => remove(file) }, "Remove"),
    ),
  );
  if (trouble) items.push(el("li", { class: "error", role: "alert" }, `The files were not sent: ${trouble}.`));
  chosen.replaceChildren(...items);
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
    const stored = await upload(to, attached);
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
