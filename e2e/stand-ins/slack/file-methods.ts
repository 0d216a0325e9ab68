import { SlackApiError } from './api-error.ts';
import { type Method, threadOf, writable } from './chat-methods.ts';
import { shownFile } from './files.ts';
import { jsonOf, numberOf, refuseUnknown, textOf } from './read-arguments.ts';

const getUploadUrl: Method = (workspace, args, server) => {
  refuseUnknown(args, ['filename', 'length', 'alt_txt', 'snippet_type']);
  const filename = textOf(args, 'filename') ?? '';
  const length = numberOf(args, 'length') ?? 0;
  if (filename.trim() === '' || !Number.isInteger(length) || length <= 0) throw new SlackApiError('invalid_arguments');
  const { file, path } = workspace.files.announce(filename, length);
  return { upload_url: `${server.origin}${path}`, file_id: file.id };
};

const completeUpload: Method = (workspace, args) => {
  refuseUnknown(args, ['files', 'channel_id', 'thread_ts', 'initial_comment']);
  const listed = jsonOf(args, 'files', 'invalid_arguments');
  if (!Array.isArray(listed) || listed.length === 0) throw new SlackApiError('invalid_arguments');
  const files = (listed as { id?: unknown; title?: unknown }[]).map(({ id, title }) => {
    const file = workspace.files.find(String(id));
    if (!file?.bytes || file.completedAt !== null) throw new SlackApiError('file_not_found');
    return { file, title: typeof title === 'string' ? title : file.name };
  });
  const channel = textOf(args, 'channel_id') === undefined ? undefined : writable(workspace, args, 'channel_id');
  const threadTs = channel ? threadOf(workspace, channel, args) : undefined;
  if (!channel && textOf(args, 'thread_ts') !== undefined) throw new SlackApiError('invalid_arguments');
  for (const { file, title } of files) {
    file.title = title;
    file.completedAt = Date.now();
  }
  if (channel && !workspace.files.isDropped()) {
    const message = workspace.store({
      channel: channel.id,
      user: workspace.botUser,
      botId: workspace.botId,
      text: textOf(args, 'initial_comment') ?? '',
      files: files.map(({ file }) => file.id),
      ...(threadTs ? { threadTs } : {}),
    });
    for (const { file } of files)
      file.shares.push({ channel: channel.id, ts: message.ts, ...(threadTs ? { threadTs } : {}) });
  }
  return { files: files.map(({ file }) => ({ id: file.id, title: file.title })) };
};

const info: Method = (workspace, args) => {
  refuseUnknown(args, ['file', 'count', 'cursor', 'limit', 'page']);
  const file = workspace.files.find(textOf(args, 'file') ?? '');
  if (!file || file.completedAt === null) throw new SlackApiError('file_not_found');
  return { file: shownFile(workspace.files, file), comments: [] };
};

/** files.*: uploads in three steps (docs.slack.dev/messaging/working-with-files), the second of which is no method. */
export const fileMethods: Record<string, Method> = {
  'files.getUploadURLExternal': getUploadUrl,
  'files.completeUploadExternal': completeUpload,
  'files.info': info,
};
