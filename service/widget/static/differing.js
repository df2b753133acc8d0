/** Sources that differ: one line a publisher with its proof; no vote, no average. */
import { el, withTail } from "./dom.js";

export function drawDiffering(turn, { topic, positions = [], care }) {
  const { citations, component: { texts } } = turn;
  const lines = positions.map(({ text, citation_ids: ids = [] }) => {
    const block = el("div.sentence", {});
    const chips = citations.chips(ids, block);
    const publisher = citations.citations.get(ids[0])?.publisher;
    block.prepend(
      ...(publisher ? [el("p.small", { dir: "auto" }, publisher)] : []),
      el("p.answer", { dir: "auto" }, withTail(text, ...chips)));
    return block;
  });
  const box = turn.framed("differ", texts.say("differ.head", { topic }), lines,
    care !== false && el("p.small", {}, texts.say("differ.care")));
  citations.place();
  return box;
}
