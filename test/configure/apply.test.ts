/**
 * Laws and examples of edits of a config. A model that is written in another way, with the semantics of Dockerfiles, says what an edit
 * should give; the judges of test/e2e are other programs.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { applyConfig } from '../../src/configure/configure.ts';
import { type ConfigEdit, noEdit } from '../../src/image/config-edit.ts';
import type { JsonObject } from '../../src/oci/json.ts';
import { readRuntime } from '../../src/oci/runtime.ts';
import { configEdit } from '../support/arbitrary/config-edit.ts';
import { config as someConfig } from '../support/arbitrary/image-config.ts';

const apply = (json: JsonObject, edit: Partial<ConfigEdit>): JsonObject =>
  applyConfig(json, { ...noEdit, ...edit }, 'the config');
const running = (config: JsonObject): JsonObject => ({ os: 'linux', architecture: 'amd64', config });
const ran = (config: JsonObject, edit: Partial<ConfigEdit>): unknown =>
  apply(running(config), edit)['config'];

describe('an edit of a config', () => {
  test('is idempotent', () => {
    fc.assert(
      fc.property(someConfig, configEdit, (json, edit) => {
        const once = apply(json, edit);
        expect(apply(once, edit)).toBe(once);
      }),
    );
  });

  test('that asks for nothing returns the config itself, whatever it holds', () => {
    fc.assert(
      fc.property(fc.object(), (json) => {
        expect(apply(json as JsonObject, {})).toBe(json);
      }),
    );
  });

  test('keeps every member that it does not name, with its value', () => {
    fc.assert(
      fc.property(someConfig, configEdit, fc.jsonValue(), (json, edit, value) => {
        const odd = {
          ...json,
          'x.unknown': value,
          config: { ...(json['config'] as object), OnBuild: value },
        };
        const after = apply(odd, edit);
        expect(after['x.unknown']).toBe(value);
        expect((after['config'] as JsonObject)['OnBuild']).toBe(value);
        const { author: _, config: __, ...rest } = after;
        expect(odd).toMatchObject(rest);
      }),
    );
  });

  test('gives a config that says what the model says', () => {
    fc.assert(
      fc.property(someConfig, configEdit, (json, edit) => {
        const before = readRuntime({ json });
        const after = readRuntime({ json: apply(json, edit) });
        expect(Object.fromEntries(after.environment)).toEqual(
          entriesModel(Object.fromEntries(before.environment), edit.environment),
        );
        expect(Object.fromEntries(after.labels)).toEqual(
          entriesModel(Object.fromEntries(before.labels), edit.labels),
        );
        const sorted = (names: Iterable<string>) => [...names].toSorted();
        expect(sorted(after.ports)).toEqual(sorted(namesModel(before.ports, edit.ports)));
        expect(sorted(after.volumes)).toEqual(sorted(namesModel(before.volumes, edit.volumes)));
        expect(after.user).toBe(edit.user ?? before.user);
        expect(after.workingDirectory).toBe(edit.workingDirectory ?? before.workingDirectory);
        expect(after.stopSignal).toBe(edit.stopSignal ?? before.stopSignal);
        const shell = edit.shell ?? before.shell;
        const words = (command: ConfigEdit['command']) =>
          command?.kind === 'shell'
            ? [...(shell.length === 0 ? ['/bin/sh', '-c'] : shell), command.line]
            : command?.words;
        expect(after.shell).toEqual(shell);
        expect(after.entrypoint).toEqual(words(edit.entrypoint) ?? before.entrypoint);
        const inherited = edit.entrypoint === null ? before.command : [];
        expect(after.command).toEqual(words(edit.command) ?? inherited);
      }),
    );
  });

  test('that changes what one edit changed and another that changes something else may come in either order', () => {
    const members = Object.keys(noEdit) as (keyof ConfigEdit)[];
    // The shell decides about shell forms, and an entrypoint about the command.
    const apart = members.filter((key) => !['shell', 'entrypoint', 'command'].includes(key));
    fc.assert(
      fc.property(someConfig, configEdit, fc.subarray(apart), (json, edit, chosen) => {
        const [one, other] = [true, false].map((isIn) =>
          Object.fromEntries(
            apart.filter((key) => chosen.includes(key) === isIn).map((key) => [key, edit[key]]),
          ),
        ) as [Partial<ConfigEdit>, Partial<ConfigEdit>];
        const all = apply(json, { ...one, ...other });
        expect(apply(apply(json, one), other)).toEqual(all);
        expect(apply(apply(json, other), one)).toEqual(all);
      }),
    );
  });
});

function entriesModel(
  before: Readonly<Record<string, string>>,
  { set, unset }: ConfigEdit['labels'],
): Readonly<Record<string, string>> {
  const after = new Map(Object.entries(before));
  for (const name of unset) after.delete(name);
  for (const [name, value] of Object.entries(set)) after.set(name, value);
  return Object.fromEntries(after);
}

function namesModel(before: readonly string[], { add, remove }: ConfigEdit['ports']): ReadonlySet<string> {
  const after = new Set(before);
  for (const name of remove) after.delete(name);
  for (const name of add) after.add(name);
  return after;
}

describe('the members of a config', () => {
  test.each<[string, JsonObject, Partial<ConfigEdit>, JsonObject]>([
    [
      'an entrypoint takes away the command of another',
      { Entrypoint: ['a'], Cmd: ['b'] },
      { entrypoint: { kind: 'exec', words: ['c'] } },
      { Entrypoint: ['c'] },
    ],
    [
      'an entrypoint in shell form is run by the shell of the image',
      { Shell: ['/bin/bash', '-c'] },
      { entrypoint: { kind: 'shell', line: 'a b' } },
      { Shell: ['/bin/bash', '-c'], Entrypoint: ['/bin/bash', '-c', 'a b'] },
    ],
    [
      'a shell of the same edit runs its shell forms',
      { Cmd: null },
      { shell: ['/bin/ash', '-ec'], command: { kind: 'shell', line: 'a' } },
      { Shell: ['/bin/ash', '-ec'], Cmd: ['/bin/ash', '-ec', 'a'] },
    ],
    [
      'a variable keeps its place, a new one comes last',
      { Env: ['A=1', 'B=2'] },
      { environment: { set: { C: '3', A: '9' }, unset: [] } },
      { Env: ['A=9', 'B=2', 'C=3'] },
    ],
    [
      'what is set wins over what is removed',
      { Env: ['A=1', 'B=2'] },
      { environment: { set: { A: '9' }, unset: ['A', 'B'] } },
      { Env: ['A=9'] },
    ],
    [
      'of a variable that is there twice one is left',
      { Env: ['A=1', 'B=2', 'A=3'] },
      { environment: { set: { A: '9' }, unset: [] } },
      { Env: ['B=2', 'A=9'] },
    ],
    ['the last member takes the list away', { Env: ['A=1'] }, { environment: { set: {}, unset: ['A'] } }, {}],
    [
      'keys keep their spelling, as programs in Go read them',
      { env: ['A=1'], CMD: ['a'] },
      { environment: { set: { A: '2' }, unset: [] }, command: { kind: 'exec', words: ['b'] } },
      { env: ['A=2'], CMD: ['b'] },
    ],
    [
      'a port without a protocol is one of TCP',
      { ExposedPorts: { '80': {}, '53/udp': {} } },
      { ports: { add: ['443/tcp'], remove: ['80/tcp'] } },
      { ExposedPorts: { '53/udp': {}, '443/tcp': {} } },
    ],
    [
      'a health check replaces all times of the one before, and keeps what is unknown',
      { Healthcheck: { Test: ['CMD', 'a'], Interval: 5, Timeout: 6, Retries: 2, 'x.own': 1 } },
      {
        healthcheck: {
          kind: 'check',
          command: { kind: 'shell', line: 'b || exit 1' },
          times: { Interval: 30e9 },
          retries: null,
        },
      },
      { Healthcheck: { Test: ['CMD-SHELL', 'b || exit 1'], Interval: 30e9, 'x.own': 1 } },
    ],
    [
      'NONE turns the health check of a base image off',
      { Healthcheck: { Test: ['CMD', 'a'], Interval: 5 } },
      { healthcheck: { kind: 'none' } },
      { Healthcheck: { Test: ['NONE'] } },
    ],
  ])('follow Dockerfiles and their readers: %s', (_, config, edit, expected) => {
    expect(ran(config, edit)).toEqual(expected);
  });

  test('on Windows: variables have no case, the shell is cmd, and command lines are marked', () => {
    const windows = { os: 'windows', architecture: 'amd64', config: { Env: ['Path=C:\\a'] } };
    const edit: Partial<ConfigEdit> = {
      environment: { set: { PATH: 'C:\\b' }, unset: [] },
      command: { kind: 'shell', line: 'ping -t localhost' },
    };
    const after = apply(windows, edit);
    expect(after['config']).toEqual({
      Env: ['PATH=C:\\b'],
      Cmd: ['cmd', '/S', '/C', 'ping -t localhost'],
      ArgsEscaped: true,
    });
    expect(apply(after, { command: { kind: 'exec', words: ['ping'] } })['config']).toEqual({
      Env: ['PATH=C:\\b'],
      Cmd: ['ping'],
    });
  });

  test.each([
    ['a config that is no object', { config: ['a'] }, 'the config, config is not an object'],
    ['a list that is a text', { config: { Env: 'A=1' } }, 'the config, Env is not a list of texts'],
    ['a set that is a list', { config: { Labels: ['A'] } }, 'the config, Labels is not an object'],
  ])('%s cannot be edited, and can be left alone', (_, json, message) => {
    const environment = { set: { A: '1' }, unset: [] };
    expect(() => apply(json, { environment, labels: environment })).toThrow(message);
    if (!Array.isArray(json.config))
      expect(apply(json, { user: 'app' })).toMatchObject({ config: { User: 'app' } });
  });
});
