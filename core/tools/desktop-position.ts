import { count } from './tolerant.ts';

/** The arguments of a tool that points at something. */
export const position = {
  x: count({ min: 0, max: 4000 }).describe('pixels of the screenshot, from the left'),
  y: count({ min: 0, max: 4000 }).describe('pixels of the screenshot, from the top'),
};
