import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readFixture, readTrace, usesOf } from './read-trace.ts';
import { b } from '../support/bytes.ts';

/** What each fixture says, read with the working directory /wd. */
const expected: Record<string, { format: string; paths: Record<string, string>; unreadable?: number }> = {
  'auditd.txt': {
    format: 'auditd',
    paths: {
      'lib64/ld-linux-x86-64.so.2': 'open',
      'run/app': 'stat',
      'run/app/s p': 'write link',
      'srv/a b/data.db': 'open',
      'usr/bin/app': 'exec',
    },
  },
  'auditd-enriched.txt': { format: 'auditd', paths: { 'etc/os-release': 'stat' } },
  'auditd-interpreted.txt': {
    format: 'auditd',
    paths: { 'lib64/ld-linux-x86-64.so.2': 'open', 'srv/app/app': 'exec' },
  },
  'creport.json': {
    format: 'creport',
    paths: {
      'etc/app.conf': 'open stat',
      'etc/os-release': 'stat',
      lib: 'link',
      'srv/app': 'stat',
      'usr/bin/app': 'open exec',
      'var/log/app.log': 'write',
    },
  },
  'falco.json': { format: 'falco', paths: { 'etc/app.conf': 'open', 'usr/bin/app': 'exec' } },
  'fatrace.txt': {
    format: 'fatrace',
    paths: {
      'etc/ld.so.cache': 'open',
      'srv/app': 'write',
      'srv/app/run': 'open',
      'srv/app/sp ace': 'open',
      'srv/app/sub/x.txt': 'open',
      'srv/app/\xc3\xa9': 'open',
      'usr/bin/cat': 'open',
      'usr/bin/dash': 'open',
      'usr/bin/readlink': 'open',
      'usr/lib/x86_64-linux-gnu/libc.so.6': 'open',
    },
  },
  'fatrace-users.txt': {
    format: 'fatrace',
    paths: {
      'srv/app/index.js': 'open',
      'srv/app/moved': 'write',
      'srv/app/new': 'write',
      'srv/app/old': 'write',
      'srv/app/state': 'open write',
    },
  },
  'fatrace.json': {
    format: 'fatrace',
    paths: { 'srv/app/state': 'open write', 'srv/app/\xc3\xa9.js': 'open', 'srv/app/\xff': 'open' },
  },
  'find-print0.txt': {
    format: 'list',
    paths: { 'srv/new\nline': 'open', 'srv/\xff': 'open', 'usr/bin/app': 'open' },
  },
  'inotifywait.txt': { format: 'inotifywait', paths: {} },
  'inotifywait-csv.txt': { format: 'inotifywait', paths: {} },
  'list.txt': { format: 'list', paths: { 'srv/app': 'open', 'srv/x y': 'open', 'usr/bin/app': 'open' } },
  'nydus.csv': {
    format: 'nydus',
    paths: { 'srv/a,b': 'open', 'srv/q"q,': 'open', 'usr/bin/app': 'open' },
  },
  'opensnoop.txt': {
    format: 'opensnoop',
    paths: {
      'etc/app/app.conf': 'open',
      'etc/ld.so.cache': 'open',
      'lib/x86_64-linux-gnu/libc.so.6': 'open',
      'srv/app/sp ace.js': 'open',
      'wd/supervise/status.new': 'open',
    },
  },
  'opensnoop-extended.txt': {
    format: 'opensnoop',
    paths: { 'etc/ld.so.cache': 'open', 'var/lib/app/state': 'open' },
  },
  'opensnoop-bpftrace.txt': { format: 'opensnoop', paths: { 'etc/app/app.conf': 'open', 'srv/app': 'open' } },
  'opensnoop-errname.txt': { format: 'opensnoop', paths: { 'etc/app/app.conf': 'open' } },
  'soci.json': { format: 'soci', paths: { 'srv/\xc3\xa9': 'open', 'usr/bin/app': 'open' } },
  'stargz.json': {
    format: 'stargz',
    paths: { 'srv/\xc3\xa9': 'open', 'usr/bin/bash': 'open', 'usr/lib/x86_64-linux-gnu/libc.so.6': 'open' },
  },
  'sysdig.txt': {
    format: 'sysdig',
    paths: {
      'etc/hosts': 'open',
      'etc/os-release': 'stat',
      'srv/app/app.conf': 'open',
      'srv/app/plugins': 'list',
      'srv/app/sp ace': 'write',
      'usr/bin/app': 'exec',
    },
  },
  'sysdig.json': { format: 'sysdig', paths: { 'srv/\xc3\xa9': 'open', 'usr/bin/app': 'exec' } },
  'tracee.json': {
    format: 'tracee',
    paths: {
      'lib64/ld-linux-x86-64.so.2': 'open',
      'srv/app/\xc3\xa9': 'open',
      'usr/bin/app': 'exec',
      'wd/log': 'write',
    },
    // Relative to a directory that the event does not name.
    unreadable: 1,
  },
  'tracee-v1beta1.json': { format: 'tracee', paths: { 'etc/app.conf': 'open', 'usr/bin/app': 'exec' } },
};

const watched = {
  'srv/app/out.txt': 'open write',
  'srv/app/run': 'open',
  'srv/app/script': 'open',
  'srv/app/sp ace': 'open',
  'srv/app/sub': 'stat list',
  'srv/app/sub/a,b"c': 'open write',
  'srv/app/sub/x.txt': 'open',
  'srv/app/\xc3\xa9': 'open',
};
(expected['inotifywait.txt'] as { paths: object }).paths = { 'srv/app': 'stat list', ...watched };
(expected['inotifywait-csv.txt'] as { paths: object }).paths = watched;

const fixtures = readdirSync(new URL('../../fixtures/traces', import.meta.url)).filter((name) =>
  /\.(?:txt|json|csv)$/.test(name),
);

describe('the format of a trace is detected by its content', () => {
  it.each(fixtures)('%s is read whole', (name) => {
    const trace = readFixture(name, { workingDir: b('/wd') });
    const { format, paths, unreadable = 0 } = expected[name] as (typeof expected)[string];
    expect(trace.formats).toEqual([format]);
    expect(trace.unreadable.count).toBe(unreadable);
    expect(usesOf(trace)).toEqual(paths);
  });

  it.each(fixtures)('%s is read the same in chunks of 13 bytes', (name) => {
    const whole = readFixture(name, { workingDir: b('/wd') });
    expect(readFixture(name, { workingDir: b('/wd'), chunk: 13 })).toEqual(whole);
  });
});

describe('formats tell more than paths', () => {
  it('auditd tells the platform, unless it has several', () => {
    expect(readFixture('auditd.txt').platform).toBe('linux/amd64');
    expect(readFixture('auditd-enriched.txt').platform).toBe('linux/arm64');
    const both =
      'type=SYSCALL msg=audit(1.0:1): arch=c000003e syscall=2 success=yes\ntype=SYSCALL msg=audit(1.0:2): arch=40000003 syscall=5 success=yes\n';
    expect(readTrace(both).platform).toBeNull();
  });

  it('SlimToolkit tells the platform, the command and every system call', () => {
    const trace = readFixture('creport.json');
    expect(trace).toMatchObject({
      platform: 'linux/amd64',
      command: ['app', '-v'],
      knowsExecs: true,
      hasAllSyscalls: true,
    });
    expect([...trace.syscalls]).toEqual([
      ['read', 9],
      ['openat', 3],
    ]);
  });

  it('stargz tells the image, unless it has several', () => {
    expect(readFixture('stargz.json').image).toBe(`sha256:${'a'.repeat(64)}`);
    const line = (digit: string) =>
      `{"path":"a","manifestDigest":"sha256:${digit.repeat(64)}","layerIndex":0}\n`;
    expect(readTrace(line('a') + line('b') + line('a')).image).toBeNull();
  });

  it.each([
    ['auditd.txt', true],
    ['sysdig.txt', true],
    ['tracee.json', true],
    ['falco.json', true],
    ['fatrace.txt', false],
    ['opensnoop.txt', false],
    ['stargz.json', false],
    ['list.txt', false],
  ])('%s tells executions: %s', (name, knows) => {
    expect(readFixture(name).knowsExecs).toBe(knows);
  });
});

describe('JSON', () => {
  it('objects may be in one array, or be written over several lines', () => {
    const records = [
      { path: 'usr/bin/app', manifestDigest: 'x', layerIndex: 0 },
      { path: 'etc/x', manifestDigest: 'x', layerIndex: 0 },
      7,
    ];
    for (const text of [JSON.stringify(records), JSON.stringify(records, null, 2)]) {
      const trace = readTrace(text);
      expect([...trace.paths.keys()]).toEqual(['usr/bin/app', 'etc/x']);
      expect(trace).toMatchObject({ formats: ['stargz'], lines: 3, unreadable: { count: 1 } });
    }
    expect([...readTrace(JSON.stringify(records[0], null, 2)).paths.keys()]).toEqual(['usr/bin/app']);
  });

  it('a report may be longer than a line', () => {
    const files = Array.from({ length: 20_000 }, (_, i) => ({
      file_type: 'file',
      file_path: `/srv/file-${i}`,
    }));
    const text = JSON.stringify({ document: 'doc.report.container', image: { files } });
    expect(text.length).toBeGreaterThan(1 << 19);
    expect(readTrace(text, { limits: { line: 1 << 19 } }).paths.size).toBe(20_000);
  });

  it.each(['{"what":\n"is this"}', '[{"what":1}]', '{"unfinished":', '["/a", 7]'])(
    'that is not a trace is refused: %s',
    (text) => {
      expect(() => readTrace(text)).toThrow('app.trace is not a trace: it looks like JSON');
    },
  );

  it('documents have a limit', () => {
    expect(() => readTrace(`["${'/a'.repeat(70_000)}"]`, { limits: { 'trace-bytes': 100_000 } })).toThrow(
      'app.trace: it is one JSON document of more than 100000 bytes, and the limit trace-bytes is 100000 bytes',
    );
  });

  it('members named like those of Object.prototype are not taken for others', () => {
    const text =
      '{"path":"/a","layerIndex":0,"__proto__":{"path":"/b"}}\n{"__proto__":{"path":"/c"}}\n{"path":"/d"}\n';
    const trace = readTrace(text);
    expect([...trace.paths.keys()]).toEqual(['a', 'd']);
    expect(trace.unreadable.count).toBe(1);
  });
});
