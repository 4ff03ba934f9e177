import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { mergeTraces } from '../../src/trace/merge.ts';
import { readFixture, usesOf } from './read-trace.ts';
import { b } from '../support/bytes.ts';

/** One and the same script (fixtures/traces/README.md), recorded by strace 6.1 with each set of options. */
const forms = readdirSync(new URL('../../fixtures/traces/strace', import.meta.url));
const single = forms.filter((name) => !name.startsWith('ff-'));

const used = {
  'dev/null': 'write replaced',
  'etc/ld.so.cache': 'open',
  'lib/x86_64-linux-gnu/libc.so.6': 'open',
  'lib/x86_64-linux-gnu/libpcre2-8.so.0': 'open',
  'lib/x86_64-linux-gnu/libselinux.so.1': 'open',
  'proc/filesystems': 'open',
  'srv/app': 'stat',
  'srv/app/../app/link': 'open',
  'srv/app/link': 'open link',
  'srv/app/out.txt': 'write replaced',
  'srv/app/run': 'open',
  'srv/app/script': 'open exec',
  'srv/app/sp ace': 'open',
  'srv/app/sub': 'stat list',
  // é in UTF-8, a unit for each byte
  'srv/app/sub/../\xc3\xa9': 'open',
  'srv/app/sub/x.txt': 'open',
  'usr/bin/cat': 'exec stat',
  'usr/bin/ls': 'exec stat',
  'usr/bin/readlink': 'exec stat',
  'usr/bin/sh': 'exec',
};

/** The paths that only -y shows: those behind descriptors, free of symlinks and of `..`. */
const behindDescriptors = {
  'srv/app/\xc3\xa9': 'open',
  'usr/lib/x86_64-linux-gnu/libc.so.6': 'open',
  'usr/lib/x86_64-linux-gnu/libpcre2-8.so.0.11.2': 'open',
  'usr/lib/x86_64-linux-gnu/libselinux.so.1': 'open',
};
const shown = { ...used, ...behindDescriptors };
const annotated = ['f-y.txt', 'f-yy-tt.txt', 'f-verbose-yy.txt', 'stderr-y-T.txt', 'recommended.txt'];

describe('a run recorded by strace', () => {
  it.each(single)('is read the same from %s', (name) => {
    const trace = readFixture(`strace/${name}`, { workingDir: b('/srv/app') });
    expect(trace.unreadable).toEqual({ count: 0, samples: [] });
    expect(trace.formats).toEqual(['strace']);
    expect(trace.command).toEqual(['sh', 'run']);
    expect(trace.knowsExecs).toBe(true);
    expect(usesOf(trace)).toEqual(annotated.includes(name) ? shown : used);
  });

  it('is read the same from one file for each process', () => {
    const files = forms.filter((name) => name.startsWith('ff-y.'));
    expect(files).toHaveLength(6);
    const merged = mergeTraces(
      files.map((name) => readFixture(`strace/${name}`, { workingDir: b('/srv/app') })),
    );
    expect(usesOf(merged)).toEqual(shown);
  });

  it('needs no working directory if -y shows it', () => {
    for (const name of annotated) expect(usesOf(readFixture(`strace/${name}`)), name).toEqual(shown);
  });

  it('gives the paths of the script', () => {
    expect(usesOf(readFixture('strace/f.txt', { workingDir: b('/srv/app') }))).toEqual(used);
  });

  it.each(single)('has all system calls only without a filter: %s', (name) => {
    const trace = readFixture(`strace/${name}`);
    expect(trace.hasAllSyscalls).toBe(name === 'f-all.txt');
    expect(trace.syscalls.get('execve')).toBeGreaterThan(3);
  });

  it('is read the same in chunks of any size', () => {
    const whole = readFixture('strace/stderr.txt');
    for (const chunk of [1, 7, 4096]) expect(readFixture('strace/stderr.txt', { chunk })).toEqual(whole);
  });
});
