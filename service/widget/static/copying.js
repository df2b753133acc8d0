/** Copying an answer with its sources; loaded on the first copy. */
import { evidenceLine, pageLink } from "./citations.js";
import { el } from "./dom.js";

/** Copy the answer of a turn; resolves with whether it worked. `badge` is the key that says who wrote it. */
export function copyAnswer(turn, badge) {
  return writeClipboard(asText(turn, badge));
}

/** The answer as plain text, with the numbers and the sources that the page shows. */
function asText(turn, badge) {
  const { texts, numbering } = turn.component;
  const { citations } = turn.citations;
  const numbered = (item) => (item.citation_ids ?? []).filter((id) => citations.has(id)).map((id) => `[${numbering.of(citations.get(id))}]`).join("");
  const lines = [turn.question, "", ...(turn.triage?.message ? [turn.triage.message, ""] : [])];
  for (const sentence of turn.reply.sentences) lines.push(`${sentence.text} ${numbered(sentence)}`);
  for (const topic of turn.reply.missing ?? []) lines.push(texts.say("missing.body", { topic }));
  for (const { topic, positions = [] } of turn.reply.differences ?? []) {
    lines.push("", texts.say("differ.head", { topic }), ...positions.map((position) => `${position.text} ${numbered(position)}`));
  }
  lines.push("", texts.say("sources.head"));
  for (const [number, citation] of turn.citations.numbered()) {
    const parts = [citation.title, citation.publisher, texts.say(citation.digest ? "cite.digest" : "cite.quote"), evidenceLine(texts, citation)];
    lines.push(`[${number}] ${parts.filter(Boolean).join(". ")}. ${pageLink(citation)?.url.href ?? ""}`.trim());
  }
  lines.push("", texts.say(badge), turn.reply.disclaimer ?? "");
  return lines.join("\n").trim();
}

async function writeClipboard(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Pages without HTTPS and frames without the permission have only the old way.
    const area = el("textarea.hidden", { readonly: true });
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}
