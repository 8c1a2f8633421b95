/** Drawing in the browser: with the part of Observable Plot that maps need, a chunk of its own. */
import { plot, ruleX, ruleY, text } from '@observablehq/plot';
import type { SweepMap } from '../../explore/map.ts';
import { draw } from './draw.ts';

export const drawLive = (map: SweepMap): Element => draw(map, { plot, ruleX, ruleY, text });
