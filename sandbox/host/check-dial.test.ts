import { describe, expect, it } from 'vitest';
import { checkDial, DialRefusedError } from './check-dial.ts';

const away = ['https://switchboard.example.com'];
const here = ['http://127.0.0.1:8080'];

describe('where a host lets itself be sent', () => {
  it.each([
    ['wss://switchboard.example.com/d/d-1/host', away],
    ['ws://10.0.0.7:8080/x', away],
    ['ws://127.0.0.1:9000/x', here],
    ['ws://[::1]:9000/x', here],
    ['ws://localhost:8080/x', here],
  ])('goes to %s when the core is %s', (url, cores) => {
    expect(checkDial(url, cores).href).toBe(new URL(url).href);
  });

  it.each([
    ['http://switchboard.example.com/x', 'another scheme'],
    ['file:///etc/passwd', 'a file'],
    ['unix:/var/run/docker.sock', 'a socket'],
    ['ws://user:password@switchboard.example.com/x', 'credentials'],
    ['ws://127.0.0.1:5432/', 'this machine'],
    ['ws://127.1/', 'this machine in short'],
    ['ws://2130706433/', 'this machine as a number'],
    ['ws://0.0.0.0:5432/', 'this machine by its wildcard address'],
    ['ws://localhost:5432/', 'this machine by its name'],
    ['ws://db.localhost./', 'a name of this machine'],
    ['ws://[::1]:5432/', 'this machine by IPv6'],
    ['ws://[::ffff:127.0.0.1]:5432/', 'this machine by a mapped address'],
    ['ws://169.254.169.254/latest/meta-data', 'the metadata service'],
    ['ws://[::ffff:169.254.169.254]/', 'the metadata service by a mapped address'],
    ['not an address', 'no address'],
  ])('does not go to %s (%s)', (url) => {
    expect(() => checkDial(url, away)).toThrow(DialRefusedError);
  });

  it('does not go to the metadata service for a core on this machine either', () => {
    expect(() => checkDial('ws://169.254.169.254/', here)).toThrow(DialRefusedError);
  });
});
