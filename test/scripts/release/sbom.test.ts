import { describe, expect, test } from 'vitest';
import { readManifest, root } from '../../../scripts/release/manifest.ts';
import { type Materials, renderSbom } from '../../../scripts/release/sbom.ts';
import { readFileSync } from 'node:fs';

const materials: Materials = {
  manifest: { ...readManifest(), version: '1.2.3', dependencies: { '@a/b': '1', c: '2' } },
  locked: {
    '': {},
    'node_modules/@a/b': {
      version: '1.0.0',
      license: 'MIT',
      integrity: 'sha512-/+8=',
      dependencies: { c: '2' },
    },
    'node_modules/c': { version: '2.0.0', license: '(BSD-3-Clause OR GPL-2.0)' },
    'node_modules/tool': { version: '3.0.0', dev: true },
  },
  node: { version: '26.10.0', linked: { openssl: '3.5.4' } },
  crates: [{ name: 'napi', version: '3.16.1', license: 'MIT/Apache-2.0' }],
  time: 1_796_016_335,
};

/** The bill as far as these tests look at it. */
interface Bill {
  readonly serialNumber: string;
  readonly metadata: { readonly timestamp: string };
  readonly components: readonly { readonly 'bom-ref': string; readonly [member: string]: unknown }[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}

const billOf = (some: Partial<Materials> = {}) => JSON.parse(renderSbom({ ...materials, ...some })) as Bill;

describe('the bill of materials', () => {
  test('lists what runs: packages of npm, Node with what is linked into it, and crates', () => {
    expect(billOf().components).toEqual([
      {
        type: 'library',
        'bom-ref': 'pkg:npm/%40a/b@1.0.0',
        name: '@a/b',
        version: '1.0.0',
        scope: 'required',
        hashes: [{ alg: 'SHA-512', content: 'ffef' }],
        licenses: [{ license: { id: 'MIT' } }],
        purl: 'pkg:npm/%40a/b@1.0.0',
      },
      expect.objectContaining({ name: 'c', licenses: [{ expression: '(BSD-3-Clause OR GPL-2.0)' }] }),
      expect.objectContaining({
        type: 'platform',
        name: 'node',
        components: [{ type: 'library', 'bom-ref': 'node/openssl@3.5.4', name: 'openssl', version: '3.5.4' }],
      }),
      expect.objectContaining({
        name: 'napi',
        scope: 'optional',
        licenses: [{ expression: 'MIT OR Apache-2.0' }],
      }),
    ]);
  });

  test('tells what needs what', () => {
    expect(billOf().dependencies).toEqual([
      {
        ref: 'pkg:npm/ocislim@1.2.3',
        dependsOn: ['pkg:npm/%40a/b@1.0.0', 'pkg:npm/c@2.0.0', 'node@26.10.0', 'pkg:cargo/napi@3.16.1'],
      },
      { ref: 'pkg:npm/%40a/b@1.0.0', dependsOn: ['pkg:npm/c@2.0.0'] },
      { ref: 'pkg:npm/c@2.0.0', dependsOn: [] },
      { ref: 'node@26.10.0', dependsOn: [] },
      { ref: 'pkg:cargo/napi@3.16.1', dependsOn: [] },
    ]);
  });

  test('has the time and the serial number of what it lists', () => {
    const { serialNumber, metadata } = billOf();
    expect(metadata.timestamp).toBe('2026-11-30T05:25:35Z');
    expect(serialNumber).toMatch(
      /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
    expect(billOf().serialNumber).toBe(serialNumber);
    expect(billOf({ crates: [] }).serialNumber).not.toBe(serialNumber);
  });

  test('of this checkout names each package that package.json asks for', () => {
    const { packages } = JSON.parse(readFileSync(`${root}package-lock.json`, 'utf8')) as {
      readonly packages: Materials['locked'];
    };
    const manifest = readManifest();
    const names = billOf({ manifest, locked: packages, node: null, crates: [] }).components.map(
      ({ name }) => name,
    );
    expect(names).toEqual(expect.arrayContaining(Object.keys(manifest.dependencies)));
    expect(names).not.toContain('typescript');
  });
});
