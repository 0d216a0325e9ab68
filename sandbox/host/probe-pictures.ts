import type { Report } from '../drivers/driver.ts';
import { probeEncoders } from '../encode/probe-encoders.ts';
import { probeRemoteEncoder } from '../remote-frames/probe-remote.ts';
import { parseSocketAddress } from '../remote-frames/socket-address.ts';
import type { HostSettings } from '../settings.ts';
import type { RemoteEncoder } from '../stream/streamer.ts';

type RemoteSettings = Pick<HostSettings, 'REMOTE_ENCODER' | 'REMOTE_ENCODER_TOKEN'>;

/** What encodes pictures for this host: each encoder of this machine, and the one elsewhere if there is to be one. */
export async function probePictures(settings: RemoteSettings): Promise<Report[]> {
  if (settings.REMOTE_ENCODER === undefined) return await probeEncoders();
  const remote = remoteEncoderOf(settings);
  const missing = { name: 'remote', works: false, detail: 'REMOTE_ENCODER_TOKEN is not set: give both sides the same' };
  const probing = remote ? probeRemoteEncoder(remote) : missing;
  return [...(await probeEncoders()), await probing];
}

/** Where the process is that encodes for this host; null: it is not configured. */
export function remoteEncoderOf({ REMOTE_ENCODER, REMOTE_ENCODER_TOKEN }: RemoteSettings): RemoteEncoder | null {
  const at = REMOTE_ENCODER === undefined ? null : parseSocketAddress(REMOTE_ENCODER);
  return at && REMOTE_ENCODER_TOKEN !== undefined ? { at, token: REMOTE_ENCODER_TOKEN } : null;
}
