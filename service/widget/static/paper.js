/** On paper: every card open with its address, nothing to press. Comes with the first reply. */
export const sheet = new CSSStyleSheet();
sheet.replaceSync(`
@media print {
  .root * { animation: none !important; }
  .bar button, .bar select, .composer, .launcher, .choices, .part:has(+ .choices), .sources > button, .feedback, .row.tools { display: none !important; }
  .panel, .talk { display: block; block-size: auto; overflow: visible; }
  .root .card[hidden], ol.sources > [hidden] { display: grid !important; }
  .says mark { text-decoration: underline; }
  .card, .notice, .sources li { break-inside: avoid; }
  /* Paper takes no backgrounds: what is white on red would fade to grey. */
  .notice.emergency { border: 3px solid; background: none; color: #000; }
  .call { border: 2px solid; }
  .card .link::after { content: " " attr(href); font-weight: 400; }
  .fold::details-content { content-visibility: visible; block-size: auto; }
}
`);
