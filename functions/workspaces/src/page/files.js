// Files of a chat: up to the workspace, and from it to the person's disk, with the bearer in a header.

import { Refusal, call, request } from "./api.js";
import { el, size } from "./dom.js";

const ROOTS = ["/configs", "/workspace", "/home", "/plugins"];
const FREE_AFTER_MS = 60_000;

/** Uploads files; what the platform says of them: `{uri, name, mimeType, size}`. */
export async function upload(workspace, files) {
  if (!files.length) return [];
  const form = new FormData();
  for (const file of files) form.append("files", file, file.name);
  try {
    return (await call("POST", `/workspaces/${workspace}/chat/uploads`, { form })).files;
  } catch (error) {
    if (error instanceof Refusal && error.unknownRoute) throw new Error("this platform does not keep files yet");
    throw error;
  }
}

/** The path that a file of a workspace can be fetched by; none for one that lies elsewhere. */
export function pathOf(uri) {
  const path = uri.replace(/^workspace:/, "").replace(/^file:\/\//, "");
  return ROOTS.some((root) => path.startsWith(`${root}/`)) ? path : null;
}

async function download(workspace, path, name) {
  const response = await request("GET", `/workspaces/${workspace}/chat/download?path=${encodeURIComponent(path)}`);
  const url = URL.createObjectURL(await response.blob());
  el("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), FREE_AFTER_MS);
}

/** A file to fetch, or what can be told of it. */
export function attachment(workspace, file) {
  const name = file.name || "file";
  const label = [name, size(file.size)].filter(Boolean).join(", ");
  if (/^https?:/.test(file.uri)) {
    return el("a", { class: "file", href: file.uri, target: "_blank", rel: "noopener noreferrer" }, label);
  }
  const path = pathOf(file.uri);
  if (!path) return el("span", { class: "file" }, `${label} (not in the workspace's folders)`);
  const trouble = el("span", { class: "error", role: "alert" });
  const button = el("button", { type: "button", class: "file", title: path }, label);
  button.addEventListener("click", async () => {
    button.disabled = true;
    trouble.textContent = "";
    try {
      await download(workspace, path, name);
    } catch (error) {
      trouble.textContent = error.unknownRoute ? " This platform does not keep files yet." : ` ${error.message}`;
    }
    button.disabled = false;
  });
  return el("span", {}, button, trouble);
}
