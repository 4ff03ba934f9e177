import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  namingFiles,
  type Project,
  readNaming,
  readProject,
  typeNamingFiles,
  withNames,
  withRepository,
  withTypes,
} from '../../scripts/release/project.ts';
import { parse } from 'yaml';
import { listOptions } from '../../src/settings/option.ts';
import { slimOptions } from '../../src/settings/tables/commands.ts';

const read = (file: string) => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
const manifest = JSON.parse(read('package.json')) as Readonly<Record<string, unknown>>;
const version = manifest['version'] as string;
const filledIn: Project = {
  repository: 'https://git.test/someone/ocislim',
  image: 'hub.test:5000/ocislim',
  types: 'https://types.test/of/ocislim',
};

describe('the names of the project', () => {
  test.each(namingFiles)('are in %s as "npm run project" writes them', (file) => {
    expect(withNames(readNaming(file), readProject(), version)).toBe(readNaming(file));
  });

  test('are in package.json as "npm run project" writes them', () => {
    expect(withRepository(manifest, readProject())).toEqual(manifest);
  });

  test.each(namingFiles)('take the place of all placeholders in %s, and can be written again', (file) => {
    const filled = withNames(readNaming(file), filledIn, '9.8.7-rc.1');
    expect(filled).not.toMatch(/owner\/ocislim|\b0\.1\.0\b/);
    expect(filled).toContain('9.8.7-rc.1');
    expect(withNames(filled, readProject(), version)).toBe(readNaming(file));
  });

  test.each(typeNamingFiles)('of types of attestations are in %s, and can be written again', (file) => {
    expect(withTypes(readNaming(file), readProject())).toBe(readNaming(file));
    const filled = withTypes(readNaming(file), filledIn);
    expect(filled).toContain('https://types.test/of/ocislim/transform/v1');
    expect(filled).toContain('https://types.test/of/ocislim/equivalence/v1');
    expect(filled).not.toContain('ocislim.example');
    expect(withTypes(filled, readProject())).toBe(readNaming(file));
  });

  test('give package.json an address for people, for git and for mistakes', () => {
    expect(withRepository({ name: 'ocislim' }, filledIn)).toEqual({
      name: 'ocislim',
      homepage: 'https://git.test/someone/ocislim#readme',
      bugs: { url: 'https://git.test/someone/ocislim/issues' },
      repository: { type: 'git', url: 'git+https://git.test/someone/ocislim.git' },
    });
  });
});

describe('the action', () => {
  const { inputs, runs } = parse(read('action.yml')) as {
    readonly inputs: Readonly<Record<string, { readonly description: string }>>;
    readonly runs: { readonly steps: readonly { readonly env: object; readonly run: string }[] };
  };
  const options = new Map(listOptions(slimOptions).map(({ name, describe }) => [name, describe]));
  const named = Object.keys(inputs).filter((name) => options.has(name));
  const own = Object.keys(inputs).filter((name) => !options.has(name));

  test('has inputs that are options, with their help, and few of its own', () => {
    expect(named.length).toBeGreaterThan(20);
    expect(named.map((name) => [name, inputs[name]?.description])).toEqual(
      named.map((name) => [name, options.get(name)]),
    );
    const ownInputs = [
      'source',
      'destination',
      'command',
      'options',
      'summary',
      'version',
      'releases',
      'executable',
    ];
    expect(own).toEqual(ownInputs);
  });

  test('passes each of these on to the command', () => {
    const { env = {}, run = '' } = runs.steps.at(-1) ?? {};
    const list = /for name in ([^;]*);/.exec(run)?.[1]?.split(/[\s\\]+/);
    expect(list).toEqual(named);
    expect(Object.keys(env).filter((name) => name.startsWith('INPUT_'))).toEqual(
      named.map((name) => `INPUT_${name.replaceAll('-', '_').toUpperCase()}`),
    );
  });
});
