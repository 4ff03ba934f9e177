import { describe, expect, test } from 'vitest';
import * as values from '../../src/settings/config-values.ts';

const exec = (...words: readonly string[]) => ({ kind: 'exec', words });
const shell = (line: string) => ({ kind: 'shell', line });

describe('values of a config', () => {
  test.each([
    ['["/bin/app", "-v"]', exec('/bin/app', '-v')],
    [' [ ] ', exec()],
    ['', exec()],
    ['[""]', exec()],
    ['exec app', shell('exec app')],
    ['[ -f /a ] && b', shell('[ -f /a ] && b')],
    ['[1, 2]', shell('[1, 2]')],
    ['{"a": 1}', shell('{"a": 1}')],
  ])('the command %j has the form that Dockerfiles give it', (text, expected) => {
    expect(values.parseCommandForm(text, '--cmd')).toEqual(expected);
  });

  test.each([
    ['NONE', { kind: 'none' }],
    ['', { kind: 'remove' }],
    ['CMD curl -f x', { kind: 'check', command: shell('curl -f x'), times: {}, retries: null }],
    [
      '--interval=1m30s --timeout=500ms --start-period=0s --start-interval=1.5h --retries=3 cmd ["/check", "a b"]',
      {
        kind: 'check',
        command: exec('/check', 'a b'),
        times: { Interval: 90e9, Timeout: 5e8, StartPeriod: 0, StartInterval: 5400e9 },
        retries: 3,
      },
    ],
  ])('the health check %j is read', (text, expected) => {
    expect(values.parseHealthcheck(text, '--healthcheck')).toEqual(expected);
  });

  test.each([
    [['80'], ['80/tcp']],
    [
      ['53/UDP', '8000-8002/sctp'],
      ['53/udp', '8000/sctp', '8001/sctp', '8002/sctp'],
    ],
  ])('the ports %j get their protocols', (texts, expected) => {
    expect(values.parsePorts(texts, '--expose')).toEqual(expected);
  });

  test('ports that go are named alone and, as buildah does, by their range', () => {
    expect(values.parseGonePorts(['80', '90-91/udp'], '--unexpose')).toEqual([
      '80/tcp',
      '90/udp',
      '91/udp',
      '90-91/udp',
    ]);
  });

  test.each([
    ['sigterm', 'SIGTERM'],
    ['RTMIN+3', 'SIGRTMIN+3'],
    ['09', '9'],
    ['', ''],
  ])('the signal %j is written as the image specification has it', (text, expected) => {
    expect(values.parseSignal(text, '--stop-signal')).toBe(expected);
  });

  type Reader = (text: string) => unknown;
  const readers: Readonly<Record<string, Reader>> = {
    command: (text) => values.parseCommandForm(text, '--x'),
    shell: (text) => values.parseShellWords(text, '--x'),
    healthcheck: (text) => values.parseHealthcheck(text, '--x'),
    ports: (text) => values.parsePorts([text], '--x'),
    path: (text) => values.parseImagePath(text, '--x'),
    volumes: (text) => values.parseVolumes([text], '--x'),
    user: (text) => values.parseUser(text, '--x'),
    signal: (text) => values.parseSignal(text, '--x'),
    names: (text) => values.parseNames([text], '--x'),
  };

  test.each([
    ['command', '["/bin/app"'],
    ['command', "['/bin/app']"],
    ['command', '["", "a"]'],
    ['shell', '/bin/bash -c'],
    ['healthcheck', 'curl -f x'],
    ['healthcheck', 'CMD'],
    ['healthcheck', 'CMD []'],
    ['healthcheck', '--every=1s CMD x'],
    ['healthcheck', '--interval=fast CMD x'],
    ['healthcheck', '--interval=1us CMD x'],
    ['ports', '0'],
    ['ports', '65536'],
    ['ports', '90-80'],
    ['ports', '80/icmp'],
    ['path', 'app'],
    ['path', '/a\0b'],
    ['volumes', ''],
    ['volumes', '/here:/data'],
    ['volumes', 'data'],
    ['user', 'a b'],
    ['user', 'a:b:c'],
    ['user', ':b'],
    ['signal', 'SIGNOTHING'],
    ['signal', '65'],
    ['signal', 'RTMIN+31'],
    ['names', 'A=1'],
    ['names', ''],
  ])('the reader of %s refuses %j and names the option', (reader, text) => {
    expect(() => readers[reader]?.(text)).toThrow(/^--x/);
  });
});
