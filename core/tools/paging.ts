import { z } from 'zod';
import type { PageRequest } from '../organisation/page.ts';
import { count, maybe } from './tolerant.ts';

const usual = 50;

/** The arguments of every list: a page in the order of the ids. */
export const paging = {
  cursor: maybe(z.string().max(300)).describe('the "cursor" of the page before'),
  limit: maybe(count({ min: 1, max: 200 })).describe(`how many at most (${usual})`),
};

/** What a list's arguments ask for. */
export function pageRequest(input: { cursor?: string | undefined; limit?: number | undefined }): PageRequest {
  return { cursor: input.cursor, limit: input.limit ?? usual };
}
