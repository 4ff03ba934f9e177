import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Bill } from '../../../src/analyze/bill.ts';
import { renderCycloneDx } from '../../../src/report/sbom/cyclonedx.ts';
import { rootPath } from '../../../src/bytes/path.ts';
import { runs } from '../../support/extent.ts';
import { anyBill, plainBill, plainComponent } from '../../support/sbom/bills.ts';
import { cycloneDxProblems } from '../../support/sbom/cyclonedx-schema.ts';

const style = { version: '1.2.3', files: false };
const render = (bill: Bill, files = false): string =>
  [...renderCycloneDx(bill, { ...style, files })].join('');

interface Parsed {
  readonly serialNumber: string;
  readonly metadata: { readonly timestamp: string; readonly component: Record<string, unknown> };
  readonly components: readonly {
    readonly name: string;
    readonly 'bom-ref': string;
    readonly licenses?: unknown;
    readonly evidence?: unknown;
    readonly properties: readonly { readonly name: string; readonly value: string }[];
  }[];
  readonly compositions?: unknown;
}
const parse = (bill: Bill, files = false): Parsed => JSON.parse(render(bill, files)) as Parsed;

/** Returns the document of a bill with one component in it, without the distribution. */
const one = (component: Partial<typeof plainComponent>, files = false) => {
  const bill = { ...plainBill, distribution: null, components: [{ ...plainComponent, ...component }] };
  return parse(bill, files).components[0] as Parsed['components'][number];
};

describe('a bill in CycloneDX', () => {
  it('law: is valid by the schema, whatever the image holds, and keeps every name', () => {
    fc.assert(
      fc.property(anyBill, fc.boolean(), (bill, files) => {
        const text = render(bill, files);
        expect(cycloneDxProblems(text)).toEqual([]);
        // oxlint-disable-next-line no-control-regex
        expect(text).not.toMatch(/[\0-\x09\x0b-\x1f\u{202e}]/u);
        const { components } = JSON.parse(text) as Parsed;
        const own = bill.distribution === null ? components : components.slice(1);
        expect(own.map(({ name }) => name)).toEqual(bill.components.map(({ name }) => name));
        expect(new Set(components.map((each) => each['bom-ref'])).size).toBe(components.length);
      }),
      { numRuns: runs(40, 300) },
    );
  });

  it('names the image by its digest and package URL', () => {
    const { metadata } = parse(plainBill);
    expect(metadata.timestamp).toBe('2023-11-14T22:13:20.000Z');
    expect(metadata.component).toMatchObject({
      type: 'container',
      name: 'app',
      version: plainBill.image.digest,
      purl: `pkg:oci/app@${plainBill.image.digest}?arch=amd64&repository_url=registry.example%2Fteam%2Fapp&tag=1`,
      hashes: [{ alg: 'SHA-256', content: 'a'.repeat(64) }],
    });
  });

  it('says which layer and instruction brought a component, and that files of it are missing', () => {
    const { properties } = one({ missing: 3, source: { name: 'bash-src', version: '5' } });
    expect(Object.fromEntries(properties.map(({ name, value }) => [name, value]))).toEqual({
      'ocislim:kind': 'dpkg',
      'ocislim:source': 'bash-src 5',
      'ocislim:layer': '1',
      'ocislim:layer-digest': plainBill.layers[0]?.digest,
      'ocislim:layer-diff-id': plainBill.layers[0]?.diffId,
      'ocislim:instruction': 'ADD rootfs.tar /',
      'ocislim:files': '1',
      'ocislim:bytes': '7',
      'ocislim:partially-removed': 'true',
      'ocislim:missing-files': '3',
    });
  });

  it('lists the files of a component where they are asked for', () => {
    expect(one({}).evidence).toBeUndefined();
    expect(one({ files: [rootPath`bin/a`, rootPath`bin/b`] }, true).evidence).toEqual({
      occurrences: [{ location: '/bin/a' }, { location: '/bin/b' }],
    });
  });

  it.each([
    [['MIT'], [{ license: { id: 'MIT' } }]],
    [['MIT OR ISC'], [{ expression: 'MIT OR ISC' }]],
    [['GPLv2+'], [{ license: { name: 'GPLv2+' } }]],
    [
      ['MIT', 'MIT OR ISC'],
      [{ license: { id: 'MIT' } }, { license: { name: 'MIT OR ISC' } }],
    ],
  ])('states the licences %j in the form that holds them', (licences, members) => {
    expect(one({ licences }).licenses).toEqual(members);
  });

  it('numbers components with the same package URL', () => {
    const { components } = parse({
      ...plainBill,
      distribution: null,
      components: [plainComponent, plainComponent],
    });
    expect(components.map((each) => each['bom-ref'])).toEqual([
      plainComponent.purl,
      `${plainComponent.purl}#2`,
    ]);
  });

  it('is incomplete where a database cannot be read', () => {
    const unread = [{ path: rootPath`var/lib/rpm/Packages`, why: 'it is too large' }];
    const { compositions, metadata } = parse({ ...plainBill, unread });
    expect(compositions).toEqual([{ aggregate: 'incomplete', assemblies: ['image'] }]);
    expect(metadata.component['properties']).toContainEqual({
      name: 'ocislim:unread-database',
      value: 'var/lib/rpm/Packages: it is too large',
    });
    expect(parse(plainBill).compositions).toBeUndefined();
  });

  it('has the same bytes and number each time, and another number for another image', () => {
    expect(render(plainBill)).toBe(render(structuredClone(plainBill)));
    const other = { ...plainBill, image: { ...plainBill.image, tag: '2', reference: 'x' } };
    expect(parse(other).serialNumber).not.toBe(parse(plainBill).serialNumber);
  });

  it('a document that breaks the schema is noticed', () => {
    expect(cycloneDxProblems(render(plainBill).replace('"library"', '"thing"'))).not.toEqual([]);
  });
});
