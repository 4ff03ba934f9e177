import { describe, expect, test } from 'vitest';
import { checkClosure } from '../../src/closure/checks.ts';
import { closeOver } from '../../src/closure/closure.ts';
import { programRules } from '../../src/closure/rules/program.ts';
import { elf, inputOf, script, type Setting, symlink, type Table, traceOf } from './rig.ts';
import { b } from '../support/bytes.ts';

const loader = '/lib64/ld-linux-x86-64.so.2';
const program = { mode: 0o755 };
const image: Table = {
  lib64: symlink('usr/lib64'),
  'usr/lib64/ld-linux-x86-64.so.2': elf(),
  'usr/lib64/libc.so.6': elf(),
  'usr/bin/app': elf({ interpreter: b(loader), needed: [b('libc.so.6')] }, program),
  'usr/bin/python3': elf({ interpreter: b(loader) }, program),
  'usr/bin/env': elf({ interpreter: b(loader) }, program),
  'usr/bin/run': script('/usr/bin/env python3'),
  'etc/passwd': 'root:x:0:0::/:/bin/sh\napp:x:1000:1000::/:/bin/sh\n',
  'etc/group': 'root:x:0:\napp:x:1000:\n',
  'etc/unused': '',
};
const good = {
  image,
  runtime: { entrypoint: ['app'], user: 'app:app' },
  trace: { 'usr/bin/app': 'exec', 'usr/lib64/libc.so.6': 'open' },
} satisfies Setting;

/** Returns the problems as `kind path` where all paths go that nothing keeps, and those in `gone`. */
async function problems(setting: Setting, ...gone: string[]): Promise<string[]> {
  return (await sentences(setting, ...gone)).map(({ kind, path }) => `${kind} ${path}`);
}

async function sentences(setting: Setting, ...gone: string[]) {
  const input = await inputOf(setting);
  const closure = closeOver(input, programRules);
  return checkClosure(input, closure, (path) => !closure.isKept(path) || gone.includes(path));
}

test('a result that lacks nothing has no problems', async () => {
  expect(await problems(good)).toEqual([]);
});

describe('checkClosure reports', () => {
  test('an entrypoint or command that the image does not have, or that would be gone', async () => {
    expect(await problems({ ...good, runtime: { entrypoint: ['/usr/bin/gone'] } })).toEqual([
      'entrypoint /usr/bin/gone',
    ]);
    expect(await problems({ ...good, runtime: { command: ['gone'] } })).toEqual(['entrypoint gone']);
    expect(await problems(good, 'usr/bin/app')).toEqual(['entrypoint usr/bin/app']);
    const health = { ...good.runtime, healthcheck: ['CMD', 'run'] };
    expect(await problems({ ...good, runtime: health }, 'usr/bin/run')).toEqual(['entrypoint usr/bin/run']);
  });

  test('a loader or an interpreter of a script that would be gone', async () => {
    expect(await problems(good, 'usr/lib64/ld-linux-x86-64.so.2')).toContain(
      'interpreter lib64/ld-linux-x86-64.so.2',
    );
    expect(await problems(good, 'lib64')).toContain('interpreter lib64/ld-linux-x86-64.so.2');
    const scripted = { ...good, trace: { ...good.trace, 'usr/bin/run': 'open' } };
    expect(await problems(scripted)).toEqual([]);
    expect(await problems(scripted, 'usr/bin/python3')).toEqual(['interpreter usr/bin/python3']);
    expect(await problems(scripted, 'usr/bin/env')).toEqual(['interpreter usr/bin/env']);
  });

  test('a loader that the image does not have, for executed programs only', async () => {
    const other = { ...image, 'usr/bin/other': elf({ interpreter: b('/lib/ld-musl-x86_64.so.1') }, program) };
    const opened = { ...good, image: other, trace: { ...good.trace, 'usr/bin/other': 'open' } };
    expect(await problems(opened)).toEqual([]);
    const executed = { ...opened, trace: { ...good.trace, 'usr/bin/other': 'exec' } };
    expect(await problems(executed)).toEqual(['interpreter lib/ld-musl-x86_64.so.1']);
  });

  test('a library that would be gone, or that the image does not have although its program was executed', async () => {
    expect(await problems(good, 'usr/lib64/libc.so.6')).toEqual(['library lib64/libc.so.6']);
    const needs = { ...image, 'usr/bin/app': elf({ needed: [b('libown.so')] }, program) };
    expect(await problems({ ...good, image: needs })).toEqual(['library libown.so']);
    const opened = { ...good, runtime: {}, image: needs, trace: { 'usr/bin/app': 'open' } };
    expect(await problems(opened)).toEqual([]);
    const loaded = { ...needs, 'opt/plugins/own-1.so': elf({ soname: b('libown.so') }) };
    const trace = { ...good.trace, 'opt/plugins/own-1.so': 'open' };
    expect(await problems({ ...good, image: loaded, trace })).toEqual([]);
  });

  test('a user or group whose name is not in the files of the result', async () => {
    const as = (user: string) => ({ ...good, runtime: { ...good.runtime, user } });
    expect(await problems(as('1000:1000'))).toEqual([]);
    expect(await problems(as('ap'))).toEqual(['user etc/passwd']);
    expect(await problems(as('app:wheel'))).toEqual(['user etc/group']);
    expect(await problems(good, 'etc/passwd')).toEqual(['user etc/passwd']);
    const { 'etc/passwd': _, ...without } = image;
    expect(await problems({ ...good, image: without })).toEqual(['user etc/passwd']);
  });

  test('a used symlink that would lead nowhere, but not one whose target a rule removes', async () => {
    const linked = { ...image, 'etc/used': symlink('data'), 'etc/data': '', 'etc/broken': symlink('none') };
    const used = {
      ...good,
      image: linked,
      trace: { ...good.trace, 'etc/used': 'open', 'etc/broken': 'link' },
    };
    expect(await problems(used)).toEqual([]);
    expect(await problems(used, 'etc/data')).toEqual(['symlink etc/used']);
    const read = { ...used, trace: { ...good.trace, 'etc/used': 'link' } };
    expect(await problems(read, 'etc/data')).toEqual([]);
  });

  test('a required path that the image does not have', async () => {
    expect(await problems({ ...good, keepCommands: [['gone']] })).toEqual(['missing gone']);
  });
});

describe('a trace counts as one of another platform if', () => {
  test('it names another platform', async () => {
    const from = (platform: string) => ({ ...good, trace: traceOf(good.trace, { platform }) });
    expect(await problems(from('linux/amd64'))).toEqual([]);
    expect((await sentences(from('linux/arm64'))).map(({ sentence }) => sentence)).toEqual([
      'app.trace was recorded on linux/arm64, the image is for linux/amd64',
    ]);
    const arm = { ...from('linux/arm64'), platform: { os: 'linux', architecture: 'arm64', variant: 'v8' } };
    expect(await problems(arm)).toEqual([]);
  });

  test('it opened files of another architecture', async () => {
    const opening = (path: string, use = 'open') => ({ ...good, trace: { ...good.trace, [path]: use } });
    expect(await problems(opening('usr/lib/aarch64-linux-gnu/libm.so.6'))).toEqual([
      'platform usr/lib/aarch64-linux-gnu/libm.so.6',
    ]);
    expect(await problems(opening('lib/ld-linux-aarch64.so.1'))).toEqual([
      'platform lib/ld-linux-aarch64.so.1',
    ]);
    // Looked for and not found, or what the machine runs as well.
    expect(await problems(opening('usr/lib/aarch64-linux-gnu/libm.so.6', 'stat'))).toEqual([]);
    expect(await problems(opening('lib/i386-linux-gnu/libm.so.6'))).toEqual([]);
  });

  test('it opened another C library, and not that of the image', async () => {
    const trace = { 'usr/bin/app': 'exec', 'lib/ld-musl-x86_64.so.1': 'open' };
    expect(await problems({ ...good, trace })).toEqual(['platform lib/ld-musl-x86_64.so.1']);
    expect(await problems({ ...good, trace: { ...trace, ...good.trace } })).toEqual([]);
  });
});

describe('the application counts as not started if', () => {
  test('the trace shows no execution of the entrypoint', async () => {
    expect(await problems({ ...good, trace: { 'usr/bin/app': 'open' } })).toEqual(['no-exec usr/bin/app']);
    expect(await problems({ ...good, trace: { 'usr/bin/env': 'exec' } })).toEqual(['no-exec usr/bin/app']);
  });

  test('the trace shows no use of it: a script may be opened by its interpreter, and some formats tell no executions', async () => {
    const scripted = { ...good, runtime: { entrypoint: ['run'] } };
    expect(
      await problems({ ...scripted, trace: { 'usr/bin/run': 'open', 'usr/bin/python3': 'exec' } }),
    ).toEqual([]);
    expect(await problems({ ...scripted, trace: { 'usr/bin/python3': 'exec' } })).toEqual([
      'no-exec usr/bin/run',
    ]);
    const openings = traceOf({ 'usr/bin/app': 'open' }, { knowsExecs: false });
    expect(await problems({ ...good, trace: openings })).toEqual([]);
    const others = traceOf({ 'etc/unused': 'open' }, { knowsExecs: false });
    expect(await problems({ ...good, trace: others })).toEqual(['no-exec usr/bin/app']);
  });
});
