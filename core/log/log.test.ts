import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { ConfigurationError } from '../errors.ts';
import { createLog, type LogLevel, logWith } from './log.ts';

function collect(options: { level?: LogLevel; readable?: boolean } = {}) {
  const lines: string[] = [];
  const to = { write: (line: string) => void lines.push(line) };
  return { lines, log: createLog({ level: options.level ?? 'info', to, readable: options.readable }) };
}

describe('the log', () => {
  it('writes lines of JSON with the level as a word and the ids of its parts', () => {
    const { lines, log } = collect();
    logWith(log, { activation: 'a-1', event: 'e-2' }).info({ delivery: 'd-3' }, 'replied');
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      level: 'info',
      activation: 'a-1',
      event: 'e-2',
      delivery: 'd-3',
      msg: 'replied',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
    });
  });

  it('leaves out what is below its level', () => {
    const { lines, log } = collect({ level: 'warn' });
    log.info('quiet');
    log.warn('heard');
    expect(lines.map((line) => JSON.parse(line).msg)).toEqual(['heard']);
  });

  it('writes to stderr and leaves stdout to what was asked for', async () => {
    const module = fileURLToPath(new URL('./log.ts', import.meta.url));
    const script = `const { createLog } = await import(${JSON.stringify(module)}); createLog({ level: 'info' }).info('hello');`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'pipe'] });
    const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
    expect(stdout).toBe('');
    expect(JSON.parse(stderr).msg).toBe('hello');
  });
});

describe('secrets', () => {
  it.each([
    [{ token: 'hunter2' }],
    [{ config: { password: 'hunter2' } }],
    [{ req: { headers: { authorization: 'hunter2' } } }],
    [{ request: { headers: { Authorization: 'Bearer hunter2hunter2' } } }],
    [{ url: 'postgres://u:hunter2@db/x' }],
    [{ deep: { down: { in: { some: ['smtp://u:hunter2@mail:25'] } } } }],
    [{ err: new Error('connect to smtp://u:hunter2@mail:25 failed') }],
    [{ err: new Error('outer', { cause: new Error('postgres://u:hunter2@db/x') }) }],
    [{ err: Object.assign(new Error('401'), { config: { headers: { 'x-key': 'hunter2' } }, data: 'hunter2' }) }],
  ])('do not reach a line: %o', (fields) => {
    for (const readable of [false, true]) {
      const { lines, log } = collect({ readable });
      log.info(fields, 'tried postgres://u:hunter2@db/x');
      logWith(log, fields as object).info('and a child');
      expect(lines).toHaveLength(2);
      expect(lines.join('')).not.toContain('hunter2');
    }
  });

  it('stand as *** so that a reader sees that there was one', () => {
    const { lines, log } = collect();
    log.info({ token: 'hunter2' }, 'to postgres://u:hunter2@db/x');
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ token: '***', msg: 'to postgres://u:***@db/x' });
  });
});

describe('an error in the log', () => {
  it('has its kind, code, status, stack and causes', () => {
    const { lines, log } = collect();
    log.error({ err: new ConfigurationError('set PORT', 'port_in_use', { cause: new TypeError('why') }) }, 'stopped');
    expect(JSON.parse(lines[0] ?? '').err).toMatchObject({
      type: 'ConfigurationError',
      message: 'set PORT',
      code: 'port_in_use',
      status: 500,
      stack: expect.stringContaining('log.test.ts'),
      cause: { type: 'TypeError', message: 'why' },
    });
  });

  it('may be anything that was thrown, and causes may go round', () => {
    const { lines, log } = collect();
    const round = new Error('round');
    round.cause = round;
    log.error({ err: 'just text' }, 'one');
    log.error({ err: round }, 'two');
    expect(lines.map((line) => JSON.parse(line).err.message)).toEqual(['just text', 'round']);
  });
});

describe('at a terminal', () => {
  it('a line is short and readable', () => {
    const { lines, log } = collect({ readable: true });
    logWith(log, { activation: 'a-1' }).warn({ attempt: 2, delivery: 'd-3' }, 'waiting for the model');
    expect(lines).toEqual([
      expect.stringMatching(/^\d\d:\d\d:\d\d warn {2}waiting for the model activation=a-1 attempt=2 delivery=d-3\n$/),
    ]);
  });

  it('an error follows with its stack and cause, indented', () => {
    const { lines, log } = collect({ readable: true });
    log.error({ err: new Error('outer', { cause: new Error('inner') }) }, 'failed');
    expect(lines.join('')).toMatch(
      / error failed\n {2}Error: outer\n {6}at .*\n(.*\n)* {2}because of\n {2}Error: inner\n/,
    );
  });
});
