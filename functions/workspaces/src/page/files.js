// Files of a chat: up to the workspace, and from it to the person's disk, with the bearer in a header. Large ones come and
// go between this page and the bucket, by addresses that the platform signs.

import { Refusal, call, request } from "./api.js";
import { el, size } from "./dom.js";

const ROOTS = ["/configs", "/workspace", "/home", "/plugins"];
const FREE_AFTER_MS = 60_000;
/** What one form may have: the platform takes 4 MiB with the form's own lines. */
const FORM_BYTES = 4 * 1024 * 1024 - 64 * 1024;
const FORM_FILES = 20;
const FILE_BYTES = 50 * 1024 * 1024;

/** What was uploaded, by file: to which workspace, and what the platform said. */
const stored = new WeakMap();

/** Uploads files; what the platform says of them, in their order: `{uri, name, mimeType, size}`. Small ones go together
 *  in forms, large ones each to an address of the bucket. `progress` is told a file and how much of it is there, 0 to 1. */
export async function upload(workspace, files, progress) {
  for (const file of files) {
    if (file.size > FILE_BYTES) throw new Error(`${file.name} has ${size(file.size)}, and a file may have 50 MiB at most`);
  }
  const missing = files.filter((file) => stored.get(file)?.workspace !== workspace);
  for (const form of forms(missing.filter(isSmall))) await uploadForm(workspace, form, progress);
  for (const file of missing.filter((it) => !isSmall(it))) await uploadLarge(workspace, file, progress);
  return files.map((file) => stored.get(file).file);
}

const isSmall = (file) => file.size <= FORM_BYTES;

/** Files in groups that each fit a form. */
function forms(files) {
  const groups = [];
  let room = 0;
  for (const file of files) {
    if (!groups.length || file.size > room || groups.at(-1).length === FORM_FILES) {
      groups.push([]);
      room = FORM_BYTES;
    }
    groups.at(-1).push(file);
    room -= file.size;
  }
  return groups;
}

async function uploadForm(workspace, files, progress) {
  const form = new FormData();
  for (const file of files) form.append("files", file, file.name);
  const said = await call("POST", `/workspaces/${workspace}/chat/uploads`, { form }).catch(explain);
  files.forEach((file, at) => keep(workspace, file, said.files[at], progress));
}

async function uploadLarge(workspace, file, progress) {
  const at = `/workspaces/${workspace}/chat/uploads`;
  const wanted = { name: file.name, size: file.size, mimeType: file.type };
  const { uri, method, url } = await call("POST", `${at}/presign`, { json: wanted }).catch(explain);
  await put(method, url, file, progress);
  const said = await call("POST", `${at}/complete`, { json: { uri, mimeType: file.type } }).catch(explain);
  keep(workspace, file, said.files[0], progress);
}

/** Sends a file to an address of the bucket. A `fetch` would not say how far it is. */
function put(method, url, file, progress) {
  return new Promise((done, failed) => {
    const sending = new XMLHttpRequest();
    const broken = () => failed(new Error(`${file.name} did not arrive: the connection to the bucket broke off`));
    sending.upload.addEventListener("progress", ({ loaded }) => progress(file, loaded / file.size));
    sending.addEventListener("load", () => {
      if (sending.status < 300) done();
      else failed(new Error(`${file.name} did not arrive: the bucket answered ${sending.status}`));
    });
    for (const end of ["error", "abort", "timeout"]) sending.addEventListener(end, broken);
    sending.open(method, url);
    sending.send(file);
  });
}

/** What is there is not sent again when another file fails. */
function keep(workspace, file, said, progress) {
  stored.set(file, { workspace, file: said });
  progress(file, 1);
}

function explain(error) {
  if (error instanceof Refusal && error.unknownRoute) throw new Error("this platform does not keep files yet");
  throw error;
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
  // Files over 4 MB are a redirect to the bucket.
  if (error.status === 0) return "It could not be fetched: the platform or its bucket cannot be reached.";
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
