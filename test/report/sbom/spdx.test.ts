import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Bill } from '../../../src/analyze/bill.ts';
import { renderSpdx } from '../../../src/report/sbom/spdx.ts';
import { rootPath } from '../../../src/bytes/path.ts';
import { runs } from '../../support/extent.ts';
import { anyBill, plainBill, plainComponent } from '../../support/sbom/bills.ts';

interface Parsed {
  readonly documentNamespace: string;
  readonly creationInfo: { readonly created: string };
  readonly packages: readonly {
    readonly SPDXID: string;
    readonly name: string;
    readonly licenseDeclared: string;
    readonly supplier?: string;
    readonly annotations: readonly { readonly comment: string }[];
  }[];
  readonly hasExtractedLicensingInfos: readonly {
    readonly licenseId: string;
    readonly extractedText: string;
  }[];
  readonly relationships: readonly {
    readonly relationshipType: string;
    readonly relatedSpdxElement: string;
  }[];
}
const render = (bill: Bill, files = false): string =>
  [...renderSpdx(bill, { version: '1.2.3', files })].join('');
const parse = (bill: Bill, files = false): Parsed => JSON.parse(render(bill, files)) as Parsed;
const one = (component: Partial<typeof plainComponent>, files = false) =>
  parse({ ...plainBill, distribution: null, components: [{ ...plainComponent, ...component }] }, files)
    .packages[1] as Parsed['packages'][number];

describe('a bill in SPDX', () => {
  it('law: has an identifier for each package, a text for each licence that is not listed, and no raw controls', () => {
    fc.assert(
      fc.property(anyBill, fc.boolean(), (bill, files) => {
        const text = render(bill, files);
        // oxlint-disable-next-line no-control-regex
        expect(text).not.toMatch(/[\0-\x09\x0b-\x1f\u{202e}]/u);
        const { packages, relationships, hasExtractedLicensingInfos: told } = JSON.parse(text) as Parsed;
        const ids = packages.map(({ SPDXID }) => SPDXID);
        expect(new Set(ids).size).toBe(ids.length);
        for (const id of ids) expect(id).toMatch(/^SPDXRef-[A-Za-z0-9.-]+$/);
        expect(relationships.map(({ relatedSpdxElement }) => relatedSpdxElement)).toEqual(ids);
        const stated = packages.flatMap(
          ({ licenseDeclared }) => licenseDeclared.match(/LicenseRef-\w+/g) ?? [],
        );
        expect(new Set(told.map(({ licenseId }) => licenseId))).toEqual(new Set(stated));
      }),
      { numRuns: runs(40, 300) },
    );
  });

  it.each([
    [[], 'NOASSERTION'],
    [['mit'], 'MIT'],
    [['MIT OR ISC'], 'MIT OR ISC'],
    [['MIT', 'MIT OR ISC'], 'MIT AND (MIT OR ISC)'],
    [['GPLv2+'], expect.stringMatching(/^LicenseRef-[0-9a-f]{16}$/)],
  ])('declares the licences %j', (licences, declared) => {
    expect(one({ licences }).licenseDeclared).toEqual(declared);
  });

  it.each([
    ['dpkg', 'A B <a@b.example>', 'Organization: A B (a@b.example)'],
    ['node', 'A B', 'Person: A B'],
    ['node', 'A (B) <c', 'Person: A B <c'],
    ['node', '<a@b.example>', 'Person: a@b.example'],
    ['node', ' ()', 'NOASSERTION'],
    ['node', 'a\u{202e}b', 'Person: a\\u{202e}b'],
  ] as const)('the supplier of a %s package: %j', (kind, supplier, said) => {
    expect(one({ kind, supplier }).supplier).toBe(said);
  });

  it('says in annotations what the format has no member for', () => {
    const comments = one({ missing: 1 }, true).annotations.map(({ comment }) => comment);
    expect(comments).toContain('ocislim:layer: 1');
    expect(comments).toContain('ocislim:partially-removed: true');
    expect(comments).toContain('ocislim:location: /bin/bash');
    expect(one({}).annotations.map(({ comment }) => comment)).not.toContain('ocislim:location: /bin/bash');
  });

  it('has the time of the image, or 1970, in whole seconds', () => {
    expect(parse(plainBill).creationInfo.created).toBe('2023-11-14T22:13:20Z');
    const timeless = { ...plainBill, image: { ...plainBill.image, time: null } };
    expect(parse(timeless).creationInfo.created).toBe('1970-01-01T00:00:00Z');
  });

  it('names a database that cannot be read', () => {
    const unread = [{ path: rootPath`var/lib/rpm/Packages`, why: 'it is too large' }];
    expect(parse({ ...plainBill, unread }).packages[0]?.annotations.map(({ comment }) => comment)).toContain(
      'ocislim:unread-database: var/lib/rpm/Packages: it is too large',
    );
  });
});
