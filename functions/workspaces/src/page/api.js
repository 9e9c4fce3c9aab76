// Calls to the API: the token, errors as sentences, and whether the platform is there at all.

const TOKEN = "console.token";
const FIRST_RETRY_SECONDS = 1;
const LONGEST_RETRY_SECONDS = 30;

/** What the API answered instead of what was asked for. `status` 0: nothing answered. */
export class Refusal extends Error {
  constructor(status, body, retryAfter) {
    super(typeof body?.error === "string" ? body.error : `the platform answered ${status}`);
    this.status = status;
    this.body = body ?? {};
    /** In how many seconds to ask again, if it says so; 0 for a date, which no part of the platform sends. */
    this.retryAfter = /^\d+$/.test(retryAfter ?? "") ? Number(retryAfter) : 0;
  }

  /** Whether the platform is away, not this one thing. */
  get away() {
    return this.status === 0 || (this.status === 503 && this.body.code === "platform_unavailable");
  }

  /** Whether the API has no such route. */
  get unknownRoute() {
    return this.status === 404 && this.body.error === undefined;
  }
}

/** Tells `away` (detail: a Refusal), `back`, and `refused` when a token is wanted or wrong. */
export const platform = new EventTarget();

let token = sessionStorage.getItem(TOKEN) ?? "";
let retryIn = 0;
let retryTimer = 0;

export const hasToken = () => token !== "";
export const currentToken = () => token;
export const isAway = () => retryIn > 0;

/** Keeps the token for this tab; an empty one forgets it. */
export function setToken(text) {
  token = text;
  if (text) sessionStorage.setItem(TOKEN, text);
  else sessionStorage.removeItem(TOKEN);
}

/** One request; the response if its status is below 400. `elsewhere`: its answer may come from another host, so that
 *  none at all does not mean that the platform is away. */
export async function request(method, path, { json, form, elsewhere } = {}) {
  const sent = {};
  const used = token;
  if (used) sent.Authorization = `Bearer ${used}`;
  if (json !== undefined) sent["Content-Type"] = "application/json";
  const body = json === undefined ? form : JSON.stringify(json);
  let response;
  try {
    response = await fetch(path, { method, headers: sent, body, cache: "no-store", credentials: "omit" });
  } catch {
    const refusal = new Refusal(0, { error: "the platform cannot be reached" });
    throw elsewhere ? refusal : failed(refusal);
  }
  if (response.ok) {
    recovered();
    return response;
  }
  const said = await response.json().catch(() => null);
  const refusal = new Refusal(response.status, said, response.headers.get("Retry-After"));
  // A wrong token that was replaced while its call was under way is no news.
  if (refusal.status === 401 && used === token) platform.dispatchEvent(new Event("refused"));
  if (!refusal.away) recovered();
  throw failed(refusal);
}

/** One request; the JSON it answered, and the headers. */
export async function exchange(...of) {
  const response = await request(...of);
  const said = await response.json().catch(() => {
    throw new Refusal(response.status, { error: "the answer could not be read" });
  });
  return { said, headers: response.headers };
}

/** One request; the JSON it answered. */
export const call = async (...of) => (await exchange(...of)).said;

function failed(refusal) {
  if (!refusal.away) return refusal;
  if (!isAway()) {
    retryIn = FIRST_RETRY_SECONDS;
    schedule();
  }
  platform.dispatchEvent(new CustomEvent("away", { detail: { refusal, seconds: retryIn } }));
  return refusal;
}

function recovered() {
  if (!isAway()) return;
  retryIn = 0;
  clearTimeout(retryTimer);
  platform.dispatchEvent(new Event("back"));
}

function schedule() {
  clearTimeout(retryTimer);
  retryTimer = setTimeout(retryNow, retryIn * 1000);
}

/** Asks whether the platform is back, and again after twice as long if it is not. */
export async function retryNow() {
  clearTimeout(retryTimer);
  retryIn = Math.min(Math.max(retryIn, FIRST_RETRY_SECONDS) * 2, LONGEST_RETRY_SECONDS);
  await request("GET", "/workspaces").catch(() => {});
  if (isAway()) schedule();
}
