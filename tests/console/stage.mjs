// What the tests of the console stand on: the platform as an API client sees it, and a Chromium.

import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const { chromium } = createRequire(path.join(ROOT, ".local/console/"))("playwright-core");

export const BASE = process.env.BASE_URL;
export const ADMIN = process.env.ADMIN_TOKEN;
export const PICTURES = path.join(ROOT, ".local/screenshots");
const ONLINE_MS = 60_000;

const FLAGS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync",
];

/** One call to the API: `[status, body]`. */
export async function call(method, route, body) {
  const response = await fetch(BASE + route, {
    method,
    headers: { Authorization: `Bearer ${ADMIN}`, "Content-Type": "application/json" },
    body: body && JSON.stringify(body),
  });
  const text = await response.text();
  try {
    return [response.status, JSON.parse(text)];
  } catch {
    return [response.status, text];
  }
}

/** What a call answers, if its status is a good one. */
export async function ask(method, route, body) {
  const [status, answer] = await call(method, route, body);
  if (status >= 300) throw new Error(`${method} ${route}: ${status} ${JSON.stringify(answer)}`);
  return answer;
}

/** An example agent, booted and online. */
export async function agent(name, parent) {
  const { id } = await ask("POST", "/workspaces", { name, runtime: "example", role: "example agent", parent_id: parent });
  await eventually(`${name} is online`, ONLINE_MS, async () => (await ask("GET", `/workspaces/${id}`)).status === "online");
  return id;
}

/** Waits until `holds` does. */
export async function eventually(what, ms, holds) {
  const end = Date.now() + ms;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`not within ${ms} ms: ${what}`);
    await new Promise((done) => setTimeout(done, 100));
  }
}

/** A browser with a profile of its own; `close` removes both. */
export async function browser() {
  await mkdir(PICTURES, { recursive: true });
  const profile = await mkdtemp(path.join(tmpdir(), "console-"));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
    headless: true,
    args: FLAGS,
    viewport: { width: 1280, height: 800 },
    acceptDownloads: true,
  });
  const close = async () => {
    await context.close();
    await rm(profile, { recursive: true, force: true });
  };
  return { context, close };
}

/** Everything on the page whose words stand out less than 4.5:1 from what is behind them. */
export const faint = (page) =>
  page.evaluate(() => {
    const numbers = (colour) => colour.match(/[\d.]+/g).map(Number);
    const light = ([r, g, b]) => {
      const [x, y, z] = [r, g, b].map((c) => (c / 255 <= 0.03928 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
      return 0.2126 * x + 0.7152 * y + 0.0722 * z;
    };
    const behind = (element) => {
      for (let at = element; at; at = at.parentElement) {
        const [r, g, b, a = 1] = numbers(getComputedStyle(at).backgroundColor);
        if (a === 1) return [r, g, b];
      }
      return [255, 255, 255];
    };
    const found = new Set();
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const element = node.parentElement;
      if (!node.data.trim() || !element.checkVisibility()) continue;
      const [a, b] = [light(numbers(getComputedStyle(element).color)), light(behind(element))];
      const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
      if (contrast < 4.5) found.add(`${element.tagName}.${element.className} ${contrast.toFixed(2)}: ${node.data.trim()}`);
    }
    return [...found];
  });
