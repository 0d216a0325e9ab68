import { once } from 'node:events';
import { chmod, lstat, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { loadNodeAv, nodeAvMissing } from '../encode/node-av.ts';
import { probeEncoders, workingEncoders } from '../encode/probe-encoders.ts';
import { createFrameEncoder } from '../remote-frames/frame-encoder.ts';
import { type FrameServer, startFrameServer } from '../remote-frames/frame-server.ts';
import { formatSocketAddress, parseSocketAddress } from '../remote-frames/socket-address.ts';
import type { HostSettings } from '../settings.ts';
import type { HostLog } from './host-log.ts';
import { HostConfigurationError } from './read-host-settings.ts';

const unencrypted = 'pictures and the token cross the network as they are: use a line that nobody else has';

/** Encodes for hosts elsewhere, until it is closed. */
export interface RunningEncoder {
  /** What to say of it in a line. */
  line: string;
  close(): Promise<void>;
}

/**
 * `npx switchboard host encode`: the encoder of this machine for hosts that have none, as Linux in a virtual machine under macOS, which
 * sees no VideoToolbox. It takes raw frames and answers H.264 (remote-frames/wire.ts).
 *
 * @throws HostConfigurationError without REMOTE_ENCODER_TOKEN, without an encoder, or when it cannot listen
 */
export async function runEncoder(settings: HostSettings, log: HostLog): Promise<RunningEncoder> {
  const { REMOTE_ENCODER_TOKEN: token } = settings;
  const at = parseSocketAddress(settings.ENCODER_LISTEN);
  if (!at) throw new HostConfigurationError('ENCODER_LISTEN is no address');
  if (token === undefined)
    throw new HostConfigurationError('REMOTE_ENCODER_TOKEN is not set: give this process and the hosts the same one');
  const [reports, av] = await Promise.all([probeEncoders(), loadNodeAv()]);
  const name = workingEncoders(reports).find((working) => working !== 'remote');
  if (!av || !name)
    throw new HostConfigurationError(
      `nothing here encodes H.264: ${av ? 'npx switchboard host doctor says why' : nodeAvMissing}`,
    );
  if ('path' in at) await removeStaleSocket(at.path);
  let server: FrameServer;
  try {
    server = await startFrameServer({
      listen: at,
      token,
      openEncoder(screen, fps) {
        log.info({ screen, fps, encoder: name }, 'a screen is encoded from here on');
        return createFrameEncoder(av, name, fps);
      },
      onError: (error) => log.warn({ why: error.message }, 'a connection was ended'),
    });
  } catch (error) {
    throw new HostConfigurationError(
      `cannot listen at ENCODER_LISTEN: ${error instanceof Error ? error.message : error}`,
    );
  }
  if ('path' in at) await chmod(at.path, 0o600);
  const where = formatSocketAddress('path' in at ? at : { ...at, port: server.port ?? at.port });
  const line = `H.264 by ${name} for hosts with REMOTE_ENCODER=${where}`;
  return { line: 'path' in at || isLoopback(at.host) ? line : `${line} (${unencrypted})`, close: server.close };
}

/** A process that was killed leaves its socket behind. One that answers is another's, and what is no socket is not ours to remove. */
async function removeStaleSocket(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (!found?.isSocket()) return;
  const socket = connect({ path });
  try {
    await once(socket, 'connect');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ECONNREFUSED') await rm(path);
  } finally {
    socket.destroy();
  }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\./.test(host);
}
