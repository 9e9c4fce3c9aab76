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
    if (error.status === 413 && error.body.error === undefined) throw new Error("together they are larger than 4 MB");
    throw error;
  }
}

/** The path that a file of a workspace can be fetched by; none for one that lies elsewhere. */
export function pathOf(uri) {
  const path = uri.replace(/^workspace:/, "").replace(/^file:\/\//, "");
  return ROOTS.some((root) => path.startsWith(`${root}/`)) ? path : null;
}

async function download(workspace, file, path, name) {
  const at = `/workspaces/${workspace}/chat/download?path=${encodeURIComponent(path)}`;
  const blob = path ? await (await request("GET", at, { elsewhere: true })).blob() : unpacked(file);
  const url = URL.createObjectURL(blob);
  el("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), FREE_AFTER_MS);
}

/** A file that came in the message itself. */
function unpacked({ bytes, mimeType }) {
  const type = mimeType || "application/octet-stream";
  return new Blob([Uint8Array.from(atob(bytes), (byte) => byte.charCodeAt(0))], { type });
}

function refusal(error) {
  if (error.unknownRoute) return "This platform does not keep files yet.";
  // Large files are a redirect to the bucket, which this page may not read.
  if (error.status === 0) return "It could not be fetched here. Files over 4 MB come from elsewhere: fetch it with curl --location.";
  return error.message;
}

/** A file to fetch, or what can be told of it. */
export function attachment(workspace, file) {
  const name = file.name || "file";
  const label = [name, size(file.size)].filter(Boolean).join(", ");
  const uri = file.uri ?? "";
  if (/^https?:/.test(uri)) {
    return el("a", { class: "file", href: uri, target: "_blank", rel: "noopener noreferrer" }, label);
  }
  const path = pathOf(uri);
  if (!path && !file.bytes) return el("span", { class: "file" }, `${label} (not in the workspace's folders)`);
  const trouble = el("span", { class: "error", role: "alert" });
  const button = el("button", { type: "button", class: "file", title: path ?? "in the message" }, label);
  button.addEventListener("click", async () => {
    button.disabled = true;
    trouble.textContent = "";
    try {
      await download(workspace, file, path, name);
    } catch (error) {
      trouble.textContent = ` ${refusal(error)}`;
    }
    button.disabled = false;
  });
  return el("span", {}, button, trouble);
}
