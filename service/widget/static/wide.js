/** From 1200 px the cards stand in a rail beside the answer; comes with the first such width. */
export const sheet = new CSSStyleSheet();
sheet.replaceSync(`
@container panel (min-width: 1200px) {
  .column { max-inline-size: calc(63 * var(--u)); }
  .bar, .strip { padding-inline: calc((100% - 63 * var(--u)) / 2); }
  .composer > :not(.hidden) { max-inline-size: calc(63 * var(--u)); padding-inline-end: calc(25 * var(--u)); }
  .composer > .box { max-inline-size: none; inline-size: calc(38 * var(--u)); margin-inline: calc((100% - 63 * var(--u)) / 2) auto; padding-inline-end: 4px; }
  .reply > :not(.body):not(.fold), .empty > * { max-inline-size: calc(38 * var(--u)); }
  .fold:not([open]) { max-inline-size: calc(38 * var(--u)); }
  .turn > .bubble { margin-inline-end: calc(25 * var(--u)); }
  .body { display: grid; grid-template-columns: minmax(0, 38fr) minmax(0, 22fr); gap: calc(3 * var(--u)); align-items: start; }
  .rail { display: grid; gap: var(--bl-space-3); }
  .rail h4 .chip { display: inline-grid; margin: 0 4px 0 0; }
  .rail .card { border-color: var(--bl-border); }
  .rail .card.active { border-color: var(--bl-hue); box-shadow: 0 0 0 1px var(--bl-hue); }
  .body .sources { display: none; }
}
`);
