// The two dialogs: the admin token, and a request's timeline.

import { Refusal, call, hasToken, platform, setToken } from "./api.js";
import { byId, el, setText, time } from "./dom.js";

const tokenDialog = byId("token");
const timelineDialog = byId("timeline");
const LOOK_MS = 1000;
const ENDED = new Set(["completed", "failed", "expired", "dropped"]);
let shown = 0;

/** Connects the dialogs; `opened` is called when a token was accepted. */
export function startDialogs(opened) {
  platform.addEventListener("refused", askToken);
  // Without a token there is nothing to see behind it.
  tokenDialog.addEventListener("cancel", (event) => event.preventDefault());
  byId("token-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    setToken(byId("token-text").value.trim());
    setText(byId("token-error"), "");
    try {
      await call("GET", "/workspaces");
      byId("token-text").value = "";
      tokenDialog.close();
      opened();
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      if (error.status !== 401) setText(byId("token-error"), `${error.message}. Try again.`);
    }
  });
  byId("timeline-close").addEventListener("click", () => timelineDialog.close());
  timelineDialog.addEventListener("close", () => (shown += 1));
}

function askToken() {
  if (hasToken()) setText(byId("token-error"), "This token was not accepted. It must be the AdminToken that the stack was deployed with.");
  setToken("");
  if (!tokenDialog.open) tokenDialog.showModal();
}

/** Shows how a request came to where it is, until it is closed. */
export async function openTimeline(workspace, request) {
  const mine = (shown += 1);
  setText(byId("timeline-state"), "Loading …");
  byId("steps").replaceChildren();
  timelineDialog.showModal();
  while (mine === shown) {
    try {
      const found = await call("GET", `/workspaces/${workspace}/a2a/requests/${request}`);
      if (mine !== shown) return;
      drawTimeline(found);
      if (ENDED.has(found.state)) return;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      if (error.status === 404) {
        setText(byId("timeline-state"), "It is not kept any more: requests are, for a day after their end.");
        return;
      }
      setText(byId("timeline-state"), error.message);
    }
    await new Promise((done) => setTimeout(done, LOOK_MS));
  }
}

function drawTimeline(found) {
  const place = found.position > 0 ? `, position ${found.position}` : "";
  const tries = found.attempts === 1 ? "1 attempt" : `${found.attempts} attempts`;
  setText(byId("timeline-state"), `${found.state}${place}, ${tries}${found.error ? `: ${found.error}` : ""}`);
  byId("steps").replaceChildren(
    ...found.timeline.map((step) =>
      el("li", {}, el("strong", {}, step.state), " ", time(step.at), step.note ? el("p", {}, step.note) : null),
    ),
  );
}
