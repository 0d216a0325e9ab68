import type { Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import express, { type RequestHandler, type Response, Router } from 'express';
import { z } from 'zod';
import type { Core } from '../core.ts';
import { InvalidInputError, UnauthenticatedError } from '../errors.ts';
import { sendPieces } from '../http/send-pieces.ts';
import type { DesktopId } from '../store/ids.ts';
import { bearerOf } from './bearer.ts';
import { openLink } from './check-links.ts';
import { openFileLink } from './file-links.ts';
import { listWall } from './list-wall.ts';
import { readPieces } from './read-pieces.ts';
import { createStills, type StillLimits, type StillRequest } from './stills.ts';

/** Where each page of the built viewer is shown. */
const pages = { '/d/:desktop': 'index.html', '/wall': 'wall.html', '/f/:file': 'file.html' } as const;

/** A page may play or show these; whatever else a file is, it is bytes to be kept. */
const shownTypes = new Set(['video/mp4', 'image/png', 'image/jpeg']);

/**
 * The viewer's pages and what they ask for over HTTP: `/d/{desktop}`, `/wall` and `/f/{file}` (the same for everybody: who may see what is
 * decided by the token in its fragment, which no server gets), `/viewer/…`, stills, the wall's list and files. A GET changes nothing, so that a preview bot
 * that opens a link does no harm.
 *
 * @param directory the built viewer; undefined or empty: the pages say so
 * @param limits of stills, for tests
 */
export function mountPages(core: Core, directory: string | undefined, limits?: StillLimits): RequestHandler {
  const router = Router();
  const stills = createStills(core, limits);
  const headers = pageHeaders(core.publicUrl);
  for (const [path, file] of Object.entries(pages))
    router.get(path, async (_request, response) => {
      response.set(headers);
      const page = directory === undefined ? undefined : await found(join(directory, file));
      if (!page) return sendNoViewer(response);
      response.sendFile(file, { root: directory, cacheControl: false, lastModified: false });
    });

  if (directory !== undefined)
    router.use(
      '/viewer',
      // Their names hold a hash of their contents.
      express.static(directory, { index: false, immutable: true, maxAge: '1y', redirect: false }),
    );

  router.get('/d/:desktop/screenshot', async (request, response) => {
    const desktop = request.params.desktop as DesktopId;
    const { organisation, jti } = await openLink(core, tokenOf(request), { desktop, modes: ['watch', 'control'] });
    const { format, quality, w: width } = readQuery(request.query);
    const known = knownOf(request.headers['if-none-match']);
    const asker = { organisation, desktop, jti };
    const { generation, serial, data } = await stills.take(asker, { format, quality, width, known });
    response.set({ 'Cache-Control': 'private, no-cache', ETag: `"${generation}-${serial}"` });
    if (data === null) response.status(304).end();
    else response.type(format === 'png' ? 'image/png' : 'image/jpeg').send(data);
  });

  router.get('/wall/desktops', async (request, response) => {
    const { organisation, subject } = await openLink(core, tokenOf(request), { desktop: null, modes: ['wall'] });
    response.set('Cache-Control', 'no-store').json(subject ? await listWall(core, organisation, subject) : []);
  });

  router.get('/f/:file/content', async (request, response) => {
    const file = await openFileLink(core, tokenOf(request), request.params.file);
    const { name, type, size } = file;
    response
      .attachment(name)
      .type(shownTypes.has(type) ? type : 'application/octet-stream')
      .set({ 'Cache-Control': 'private, no-store', 'Content-Security-Policy': `default-src 'none'; sandbox` })
      .set('Content-Length', String(size));
    if (request.method === 'HEAD') response.end();
    else await sendPieces(response, readPieces(core, file));
  });
  return router;
}

/** Nothing but our own files may run, nobody may frame the page, and no address of it is told to others. */
function pageHeaders(publicUrl: string): Record<string, string> {
  const { host, protocol } = new URL(publicUrl);
  // Older browsers do not take 'self' for WebSockets.
  const socket = `${protocol === 'https:' ? 'wss' : 'ws'}://${host}`;
  const policy = [
    `default-src 'none'`,
    `script-src 'self'`,
    `style-src 'self'`,
    `img-src 'self' blob: data:`,
    `media-src blob:`,
    `connect-src 'self' ${socket}`,
    `worker-src 'self'`,
    `manifest-src 'self'`,
    `base-uri 'none'`,
    `form-action 'none'`,
    `frame-ancestors 'none'`,
  ].join('; ');
  return {
    'Content-Security-Policy': policy,
    'Cache-Control': 'no-store',
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Permissions-Policy': 'camera=(), microphone=(), geolocation=()',
    'X-Frame-Options': 'DENY',
    'X-Robots-Tag': 'noindex, nofollow',
  };
}

function sendNoViewer(response: Response): void {
  response
    .status(503)
    .type('text/plain')
    .send('The viewer page has not been built here: `npm start` builds it, or run `npx vite build stream-viewer`.\n');
}

async function found(path: string): Promise<Stats | undefined> {
  return await stat(path).catch(() => undefined);
}

/** @throws UnauthenticatedError when there is none */
function tokenOf(request: express.Request): string {
  const token = bearerOf(request);
  if (!token)
    throw new UnauthenticatedError('this needs the token of a link: Authorization: Bearer <token>', 'link_invalid');
  return token;
}

const pixels = z.coerce.number().int().min(16).max(3840);
const query = z.object({
  format: z.enum(['jpeg', 'png']).default('jpeg'),
  quality: z.coerce.number().int().min(1).max(100).default(70),
  w: pixels.optional(),
});

/** @throws InvalidInputError naming the first thing that is wrong */
function readQuery(given: unknown): z.output<typeof query> {
  const parsed = query.safeParse(given);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new InvalidInputError(
    `${issue?.path.join('.')}: ${issue?.message} (format=jpeg|png, quality=1–100, w=16–3840)`,
  );
}

/** What an ETag of ours says. */
function knownOf(header: string | undefined): StillRequest['known'] {
  const [, generation, serial] = /^(?:W\/)?"(\d{1,10})-(\d{1,15})"$/.exec(header ?? '') ?? [];
  return serial === undefined ? undefined : { generation: Number(generation), serial: Number(serial) };
}
