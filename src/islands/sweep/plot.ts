/** The part of Observable Plot that maps are drawn with; a chunk of its own in the browser. */
export { plot, rect, ruleX, ruleY, text } from '@observablehq/plot';
