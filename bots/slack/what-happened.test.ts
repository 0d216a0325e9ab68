import { describe, expect, it } from 'vitest';
import { slackEnvelope } from './slack-event.ts';
import { whatHappened } from './what-happened.ts';

function happened(event: Record<string, unknown>) {
  const envelope = slackEnvelope.parse({
    type: 'event_callback',
    team_id: 'T1',
    event_id: 'Ev1',
    event: { type: 'message', channel: 'C1', ts: '1.1', ...event },
  });
  return whatHappened(envelope.event, 'U0BOT');
}

describe('an event', () => {
  it.each([
    ['a message', {}],
    ['one with files', { subtype: 'file_share' }],
    ['a reply that is shown in the channel, too', { subtype: 'thread_broadcast', thread_ts: '1.0' }],
    ['a mention', { type: 'app_mention' }],
  ])('is what a person said: %s', (_what, changes) => {
    expect(happened({ user: 'U1', text: 'hi', ...changes })).toMatchObject({
      kind: 'said',
      channel: 'C1',
      ts: '1.1',
      user: 'U1',
      text: 'hi',
      mention: 'type' in changes,
    });
  });

  it.each([
    ['Slackbot', { user: 'USLACKBOT', text: 'hi' }],
    ['nobody', { text: 'hi' }],
    ['a bot that shows its profile', { user: 'U1', bot_profile: { id: 'B1' }, text: 'hi' }],
    ['a change without a message', { subtype: 'message_changed' }],
    ['a delete of nothing', { subtype: 'message_deleted' }],
    ['an edit by a bot', { subtype: 'message_changed', message: { user: 'U1', bot_id: 'B1', ts: '1.0', text: 'b' } }],
    [
      'a preview of a link',
      {
        subtype: 'message_changed',
        message: { user: 'U1', ts: '1.0', text: 'a' },
        previous_message: { user: 'U1', ts: '1.0', text: 'a' },
      },
    ],
  ])('is nothing to us: %s', (_what, changes) => {
    expect(happened(changes).kind).toBe('ignored');
  });

  it('is an edit, of the message and not of the event', () => {
    const message = { user: 'U1', ts: '1.0', text: 'after' };
    const before = { user: 'U1', ts: '1.0', text: 'before' };
    expect(happened({ subtype: 'message_changed', message, previous_message: before })).toEqual({
      kind: 'edited',
      channel: 'C1',
      ts: '1.0',
      text: 'after',
    });
  });

  it('is a delete', () => {
    expect(happened({ subtype: 'message_deleted', deleted_ts: '1.0' })).toEqual({
      kind: 'deleted',
      channel: 'C1',
      ts: '1.0',
    });
  });
});
