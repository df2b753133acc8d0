/** No answer: its reason, what lies near, and a next step, as calm as an answer. Comes with the first one. */
import { evidenceRow } from "./citations.js";
import { el, withTail } from "./dom.js";
import { onlyIf } from "./notices.js";

const REASONS = new Set(["out_of_scope", "nothing_found", "personal_advice", "not_in_sources", "unclear"]);

export function drawSilence(turn, reply, aloud) {
  const { texts, announcer } = turn.component;
  const { reason, message, language, nearest = [], about_medicine: aboutMedicine } = reply.abstention;
  // Where nothing was screened, only the service knows how to say so in the language of the question.
  const ours = REASONS.has(reason);
  const why = ours ? texts.say(`abstain.${reason}`) : (message ?? "");
  const head = texts.say(reason === "not_screened" ? "abstain.unchecked" : "abstain.head");
  if (turn.fold) turn.fold.hidden = false;
  turn.main.append(
    el("h4.head.title", {}, head),
    el("p.answer", ours ? {} : { dir: "auto", lang: language ?? "en" }, why));
  const alreadyTold = turn.triage?.conditional?.length || turn.isEmergency;
  if ((aboutMedicine ?? reason === "personal_advice") && !alreadyTold) turn.main.append(onlyIf(texts, "cond.medicine", "p.only-if"));
  if (nearest.length) turn.main.append(el("h4.part", {}, texts.say("abstain.found")), ...drawNearest(turn, nearest));
  if (!turn.isEmergency) turn.main.append(el("h4.part", {}, texts.say("abstain.next")), ...nextSteps(turn, reply, reason));
  turn.citations.place();
  if (aloud && !turn.isEmergency) {
    announcer.say(`${head}. ${ours ? why : ""}`.trim());
    if (!ours) announcer.say(why, { assertive: true, lang: language ?? "en" });
  }
}

function drawNearest(turn, list) {
  const { texts } = turn.component;
  const named = list.map((citation, index) => ({ ...citation, id: citation.id ?? `n${index + 1}` }));
  turn.citations.add(named);
  return named.map((citation) => {
    const block = el("div.sentence.found", {});
    const chips = turn.citations.chips([citation.id], block);
    block.append(
      el("p.small", {}, texts.say(citation.digest ? "cite.digest" : "cite.quote")),
      el("p.answer", { lang: citation.language ?? "en", dir: "auto" }, withTail(String(citation.quote), ...chips)),
      evidenceRow(texts, citation, citation.publisher));
    return block;
  });
}

function nextSteps(turn, reply, reason) {
  const { component } = turn;
  const { texts } = component;
  const readings = (reply.abstention.readings ?? reply.follow_ups ?? []).slice(0, 3);
  const examples = reason === "out_of_scope" && !readings.length ? [1, 2, 3].map((n) => texts.say(`example.${n}`)) : [];
  const offered = [...readings, ...examples];
  return [
    reason === "not_screened" && el("p", {}, texts.say("abstain.english")),
    component.hasAttribute("handoff") && turn.handoff(reply),
    offered.length && turn.choices(offered),
    !["out_of_scope", "not_screened"].includes(reason) && el("button.choice.narrow", { type: "button", onclick: () => component.rephrase(turn.question) }, texts.say("abstain.rephrase")),
  ].filter(Boolean);
}
