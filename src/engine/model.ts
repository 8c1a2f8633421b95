/**
 * Number of the model: what the engine, the modelled kernel around it and the counting of boundaries do, taken
 * together. Raise it by one whenever a digest of a frozen row would move: a rule of the processor, the words that
 * boot lays down, what a digest is made of, what counts as a transition. A row that was frozen under another
 * number is then no longer run but shown as it was recorded, until the engine of its number comes with the release.
 * Leave it alone for what no digest sees: speed, wording, layout of a page.
 */
export const MODEL = 1;
