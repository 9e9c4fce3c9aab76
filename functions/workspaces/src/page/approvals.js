// What agents wait for people to decide.

import { Refusal, call } from "./api.js";
import { byId, el, keyed, longText, setText, time } from "./dom.js";

const told = new Map(); // approval ids to what went wrong with them

/** Reads what is pending. A platform without approvals shows none. */
export async function refreshApprovals() {
  let list;
  try {
    list = await call("GET", "/approvals/pending");
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    if (error.unknownRoute) byId("approvals").hidden = true;
    return;
  }
  byId("approvals").hidden = list.length === 0;
  setText(byId("approvals-title"), `Approvals (${list.length})`);
  keyed(byId("pending"), list, (it) => it.id, (it) => JSON.stringify([it, told.get(it.id)]), item);
}

function item(approval) {
  const label = `${approval.action}, asked by ${approval.workspace_name}`;
  const choice = (words, decision) =>
    el(
      "button",
      { type: "button", class: decision, "aria-label": `${words}: ${label}`, onclick: () => decide(approval, decision, made) },
      words,
    );
  const made = el(
    "li",
    {},
    el("p", {}, el("strong", {}, approval.action)),
    el("p", { class: "quiet" }, `${approval.workspace_name} `, time(approval.created_at)),
    approval.reason ? longText(approval.reason) : null,
    el("div", { class: "row" }, choice("Approve", "approved"), choice("Deny", "denied")),
    told.has(approval.id) ? el("p", { class: "error", role: "alert" }, told.get(approval.id)) : null,
  );
  return made;
}

async function decide(approval, decision, made) {
  for (const button of made.querySelectorAll("button")) button.disabled = true;
  told.delete(approval.id);
  try {
    const path = `/workspaces/${approval.workspace_id}/approvals/${approval.id}/decide`;
    await call("POST", path, { json: { decision, decided_by: "console" } });
    made.remove();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    told.set(approval.id, error.message);
    made.dataset.mark = ""; // made anew, so that its buttons work again
  }
  await refreshApprovals();
}
