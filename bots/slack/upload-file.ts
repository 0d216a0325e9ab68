import type { FilesInfoResponse, WebClient } from '@slack/web-api';
import type { OutgoingFile } from '../../core/delivery/door.ts';
import { OutsideUnavailable } from '../../core/dispatch/failure.ts';

/** Where a file is shown at once; without it, it is the app's own until a message shows it. */
export type Share = { channel_id: string; thread_ts?: string };

/** The bytes may take so long, in milliseconds: a clip of 50 MB at 8 Mbit/s takes 50 s. */
const uploadMs = 120_000;

/**
 * Uploads a file in Slack's three steps (docs.slack.dev/messaging/working-with-files). Not by the library's `filesUploadV2`, which
 * sends the bytes through the same client: that one is told to call Slack's API alone.
 *
 * @returns the file's id. Slack goes on working on the file for a moment ({@link fileOnce}).
 * @throws what the Web API client throws; OutsideUnavailable when the bytes do not arrive
 */
export async function uploadFile(client: WebClient, file: OutgoingFile, share?: Share): Promise<string> {
  const { upload_url: url, file_id: id } = await client.files.getUploadURLExternal({
    filename: file.name,
    length: file.data.length,
  });
  if (!url || !id) throw new Error('Slack named no address for an upload');
  await sendBytes(new URL(url), client.slackApiUrl, file.data);
  const files: [{ id: string; title: string }] = [{ id, title: file.name }];
  const { channel_id, thread_ts } = share ?? {};
  if (channel_id === undefined) await client.files.completeUploadExternal({ files });
  else if (thread_ts === undefined) await client.files.completeUploadExternal({ files, channel_id });
  else await client.files.completeUploadExternal({ files, channel_id, thread_ts });
  return id;
}

/** Bytes go over TLS, or to the machine that the API itself is on. */
async function sendBytes(url: URL, apiUrl: string, bytes: Buffer): Promise<void> {
  if (url.protocol !== 'https:' && url.host !== new URL(apiUrl).host)
    throw new Error('Slack named an address for an upload that is not https');
  let response: Response;
  try {
    response = await fetch(url, {
      method: 'POST',
      body: new Uint8Array(bytes),
      headers: { 'content-type': 'application/octet-stream' },
      redirect: 'manual',
      signal: AbortSignal.timeout(uploadMs),
    });
    await response.body?.cancel();
  } catch (cause) {
    throw new OutsideUnavailable('a file could not be uploaded to Slack', { cause });
  }
  if (!response.ok) throw new OutsideUnavailable(`Slack answered an upload with HTTP status ${response.status}`);
}

type SlackFile = NonNullable<FilesInfoResponse['file']>;

/** Slack answers an upload before it has looked at the file: its type, and where it is shared, are known a moment later. */
const patienceMs = 4000;

/**
 * The file, once something can be said of it. Undefined: not within four seconds.
 *
 * @throws what the Web API client throws
 */
export async function fileOnce(
  client: WebClient,
  id: string,
  isSo: (file: SlackFile) => boolean,
): Promise<SlackFile | undefined> {
  for (let pause = 100, waited = 0; ; pause *= 2) {
    const { file } = await client.files.info({ file: id });
    if (file && isSo(file)) return file;
    if (waited + pause > patienceMs) return undefined;
    waited += pause;
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}
