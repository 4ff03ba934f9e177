import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/oci/json.ts';
import { mergeConfig } from '../../src/rebase/merge-config.ts';
import { sameValue } from '../../src/rebase/same-value.ts';
import { config } from '../support/arbitrary/image-config.ts';

const merged = (app: JsonObject, from: JsonObject, to: JsonObject): unknown =>
  mergeConfig({ app: { config: app }, from: { config: from }, to: { config: to } })['config'];

describe('the config on another base', () => {
  test.each<[string, JsonObject, JsonObject, JsonObject, JsonObject]>([
    [
      'has what the application set, and the new base’s values for the rest',
      { User: 'app', WorkingDir: '/srv', StopSignal: 'SIGTERM' },
      { WorkingDir: '/', StopSignal: 'SIGTERM' },
      { WorkingDir: '/root', StopSignal: 'SIGQUIT', Shell: ['/bin/bash', '-c'] },
      { User: 'app', WorkingDir: '/srv', StopSignal: 'SIGQUIT', Shell: ['/bin/bash', '-c'] },
    ],
    [
      'loses what only the old base had',
      { StopSignal: 'SIGTERM', Labels: { of: 'base', app: '1' }, Env: ['OLD=1', 'APP=1'] },
      { StopSignal: 'SIGTERM', Labels: { of: 'base' }, Env: ['OLD=1'] },
      {},
      { Labels: { app: '1' }, Env: ['APP=1'] },
    ],
    [
      'does not get back what the application removed',
      { Env: ['B=2'] },
      { Env: ['A=1', 'B=2'], Volumes: { '/data': {} } },
      { Env: ['A=9', 'B=3'], Volumes: { '/data': {} } },
      { Env: ['B=3'] },
    ],
    [
      'has each variable, label, port and volume for itself',
      {
        Env: ['V=1', 'A=app', 'X=1'],
        Labels: { v: '1', a: 'app' },
        ExposedPorts: { '80/tcp': {}, '1/tcp': {} },
      },
      { Env: ['V=1', 'A=old'], Labels: { v: '1', a: 'old' }, ExposedPorts: { '1/tcp': {} } },
      { Env: ['NEW=1', 'V=2', 'A=new'], Labels: { v: '2', n: '1' }, ExposedPorts: { '2/tcp': {} } },
      {
        Env: ['NEW=1', 'V=2', 'A=app', 'X=1'],
        Labels: { v: '2', a: 'app', n: '1' },
        ExposedPorts: { '80/tcp': {}, '2/tcp': {} },
      },
    ],
    [
      'puts directories before and behind those of the new base',
      { Env: ['PATH=/app/bin:/usr/bin:/bin', 'LD_LIBRARY_PATH=/lib/old:/app/lib', 'MANPATH=/mine'] },
      { Env: ['PATH=/usr/bin:/bin', 'LD_LIBRARY_PATH=/lib/old', 'MANPATH=/man'] },
      { Env: ['PATH=/usr/local/bin:/usr/bin', 'LD_LIBRARY_PATH=/lib/new', 'MANPATH=/other'] },
      {
        Env: ['PATH=/app/bin:/usr/local/bin:/usr/bin', 'LD_LIBRARY_PATH=/lib/new:/app/lib', 'MANPATH=/mine'],
      },
    ],
    [
      'takes no part of a directory’s name for a list',
      { Env: ['PATH=/usr/binary'] },
      { Env: ['PATH=/usr/bin'] },
      { Env: ['PATH=/x'] },
      { Env: ['PATH=/usr/binary'] },
    ],
    [
      'has the command that goes with the entrypoint of the application',
      { Entrypoint: ['/app'], Cmd: ['serve'] },
      { Entrypoint: ['/init'], Cmd: ['serve'] },
      { Entrypoint: ['/init2'], Cmd: ['run'] },
      { Entrypoint: ['/app'], Cmd: ['serve'] },
    ],
    [
      'has no command of the base behind an entrypoint of the application',
      { Entrypoint: ['/app'] },
      { Cmd: ['/bin/bash'] },
      { Cmd: ['/bin/sh'] },
      { Entrypoint: ['/app'] },
    ],
    [
      'has the entrypoint of the new base before a command of the application',
      { Entrypoint: ['/init'], Cmd: ['app'] },
      { Entrypoint: ['/init'] },
      { Entrypoint: ['/new-init'] },
      { Entrypoint: ['/new-init'], Cmd: ['app'] },
    ],
    [
      'compares values as programs read them: no order of keys, no case of names, nothing the same as null',
      { cmd: null, Healthcheck: { Test: ['CMD', 'a'], Interval: 1 }, User: '' },
      { Healthcheck: { Interval: 1, Test: ['CMD', 'a'] }, Cmd: [] },
      { Healthcheck: { Test: ['NONE'] }, Cmd: ['x'], User: 'u' },
      { cmd: ['x'], Healthcheck: { Test: ['NONE'] }, User: 'u' },
    ],
  ])('on another base: %s', (_, app, from, to, expected) => {
    expect(merged(app, from, to)).toEqual(expected);
  });

  test('has the platform of the new base and members that no specification knows, and layers stay for the caller', () => {
    const all = { architecture: 'arm64', os: 'linux', created: '2024', 'x.own': 1, author: 'a' };
    expect(
      mergeConfig({
        app: { ...all, rootfs: { diff_ids: ['a'] }, 'x.base': 1 },
        from: { ...all, 'x.own': 0, author: 'b', 'x.base': 1 },
        to: { ...all, variant: 'v8', created: '2025', 'x.base': 2, history: [1] },
      }),
    ).toEqual({ ...all, variant: 'v8', created: '2025', rootfs: { diff_ids: ['a'] }, 'x.base': 2 });
  });
});

// A base without variables named twice: a list with two of one name has one afterwards.
const once = config.filter((json) => {
  const { Env: list = [] } = json['config'] as { readonly Env?: readonly string[] };
  return new Set(list.map((pair) => pair.split('=')[0])).size === list.length;
});

test('a config on its own base is what it was, and one that is led back too', () => {
  fc.assert(
    fc.property(once, once, once, (app, from, to) => {
      expect(mergeConfig({ app, from, to: from })).toEqual(app);
      const [there, wanted] = [mergeConfig({ app: from, from, to })['config'], to['config']] as JsonObject[];
      for (const key of new Set([...Object.keys(there ?? {}), ...Object.keys(wanted ?? {})]))
        expect([key, sameValue(there?.[key], wanted?.[key])]).toEqual([key, true]);
    }),
  );
});
