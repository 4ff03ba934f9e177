/**
 * Writes the bill of materials of ocislim itself, in CycloneDX 1.6. It lists the npm packages that ocislim needs at run time, the Node
 * that is in the executables, and the crates of the native engine.
 */
import { uuidOfText } from '../../src/report/sbom/uuid.ts';
import type { Manifest } from './manifest.ts';

/** An entry of `packages` in package-lock.json (lockfile version 3). */
export interface LockedPackage {
  readonly version?: string;
  readonly license?: string;
  /** Subresource integrity: `sha512-` and base64. */
  readonly integrity?: string;
  readonly dev?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** A crate that is linked into the native engine. */
export interface LinkedCrate {
  readonly name: string;
  readonly version: string;
  /** An SPDX expression, or the older form with a slash; null where the crate states none. */
  readonly license: string | null;
}

/** What a bill lists. */
export interface Materials {
  readonly manifest: Manifest;
  /** `packages` of package-lock.json, by their places. */
  readonly locked: Readonly<Record<string, LockedPackage>>;
  /** The version of Node, and of what is linked into it by name; null without executables. */
  readonly node: { readonly version: string; readonly linked: Readonly<Record<string, string>> } | null;
  /** Empty where the native engine is not part of the release. */
  readonly crates: readonly LinkedCrate[];
  /** Seconds since 1970. */
  readonly time: number;
}

interface Component {
  readonly type: 'application' | 'library' | 'platform';
  readonly 'bom-ref': string;
  readonly name: string;
  readonly version: string;
  readonly [member: string]: unknown;
}

/** Writes the bill as JSON. The same materials give the same bytes, also its serial number. */
export function renderSbom(materials: Materials): string {
  const { manifest, time } = materials;
  const components = [
    ...npmComponents(materials),
    ...nodeComponents(materials),
    ...crateComponents(materials),
  ];
  const main: Component = {
    type: 'application',
    'bom-ref': purl('npm', manifest.name, manifest.version),
    name: manifest.name,
    version: manifest.version,
    description: manifest.description,
    licenses: licenses(manifest.license),
    purl: purl('npm', manifest.name, manifest.version),
  };
  const body = {
    metadata: { timestamp: new Date(time * 1000).toISOString().replace('.000Z', 'Z'), component: main },
    components,
    dependencies: dependencies(main, materials, components),
  };
  const serialNumber = `urn:uuid:${uuidOfText(JSON.stringify(body))}`;
  const bill = { bomFormat: 'CycloneDX', specVersion: '1.6', serialNumber, version: 1, ...body };
  return `${JSON.stringify(bill, null, 2)}\n`;
}

/** The packages at the top of node_modules that no development tool alone needs. */
function npmComponents({ locked }: Materials): readonly Component[] {
  return Object.entries(locked)
    .filter(([place, { dev }]) => place.startsWith('node_modules/') && dev !== true)
    .map(([place, { version = '', license, integrity }]) => {
      const name = place.slice(place.lastIndexOf('node_modules/') + 'node_modules/'.length);
      return {
        type: 'library' as const,
        'bom-ref': purl('npm', name, version),
        name,
        version,
        scope: 'required',
        ...(integrity === undefined ? {} : { hashes: [hashOf(integrity)] }),
        ...(license === undefined ? {} : { licenses: licenses(license) }),
        purl: purl('npm', name, version),
      };
    });
}

/** Node, with what it is made of: scanners look for its OpenSSL, zlib and so on. */
function nodeComponents({ node }: Materials): readonly Component[] {
  if (node === null) return [];
  const { version, linked } = node;
  const parts = Object.entries(linked).map(([name, each]) => ({
    type: 'library' as const,
    'bom-ref': `node/${name}@${each}`,
    name,
    version: each,
  }));
  return [
    {
      type: 'platform',
      'bom-ref': `node@${version}`,
      name: 'node',
      version,
      scope: 'required',
      licenses: licenses('MIT'),
      cpe: `cpe:2.3:a:nodejs:node.js:${version}:*:*:*:*:*:*:*`,
      purl: purl('generic', 'node', version),
      ...(parts.length === 0 ? {} : { components: parts }),
    },
  ];
}

function crateComponents({ crates }: Materials): readonly Component[] {
  return crates.map(({ name, version, license }) => ({
    type: 'library',
    'bom-ref': purl('cargo', name, version),
    name,
    version,
    scope: 'optional',
    ...(license === null ? {} : { licenses: licenses(license.replaceAll(/ ?\/ ?/g, ' OR ')) }),
    purl: purl('cargo', name, version),
  }));
}

/** Tells what needs what: ocislim needs what package.json says, Node and the crates; packages need others of npm. */
function dependencies(
  main: Component,
  { manifest, locked }: Materials,
  components: readonly Component[],
): readonly object[] {
  const refOf = (name: string): string[] => {
    const version = locked[`node_modules/${name}`]?.version;
    return version === undefined ? [] : [purl('npm', name, version)];
  };
  const others = components.filter(({ 'bom-ref': ref }) => !ref.startsWith('pkg:npm/'));
  return [
    {
      ref: main['bom-ref'],
      dependsOn: [
        ...Object.keys(manifest.dependencies).flatMap(refOf),
        ...others.map((each) => each['bom-ref']),
      ],
    },
    ...components.map(({ 'bom-ref': ref, name }) => {
      const needed = ref.startsWith('pkg:npm/') ? locked[`node_modules/${name}`]?.dependencies : {};
      return { ref, dependsOn: Object.keys(needed ?? {}).flatMap(refOf) };
    }),
  ];
}

/** Returns a package URL. A scope of npm is escaped, as its specification says. */
function purl(type: string, name: string, version: string): string {
  return `pkg:${type}/${name.replace('@', '%40')}@${version}`;
}

/** States one licence by its identifier, and several as an expression of SPDX. */
function licenses(text: string): readonly object[] {
  return / |\(/.test(text) ? [{ expression: text }] : [{ license: { id: text } }];
}

function hashOf(integrity: string): object {
  const [, algorithm = '', digest = ''] = /^(sha\d+)-(\S+)/.exec(integrity) ?? [];
  return {
    alg: algorithm.toUpperCase().replace('SHA', 'SHA-'),
    content: Buffer.from(digest, 'base64').toString('hex'),
  };
}
