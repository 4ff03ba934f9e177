/**
 * Writes an OpenVEX 0.2.0 document about a result: a statement for each finding whose package went. Commands call it after a run with --vex.
 */
import type { BilledImage } from '../analyze/bill.ts';
import { isDigest } from '../oci/digest.ts';
import { safeJsonText } from './escape.ts';
import { formatTime } from './figures.ts';
import type { PlatformReport, Report, ScannedReport } from './report.ts';
import { imagePurl } from './sbom/image-purl.ts';
import { uuidOfText } from './sbom/uuid.ts';

/** How the result is called, and when the document was made. */
export interface VexContext extends Pick<BilledImage, 'name' | 'repository' | 'tag'> {
  readonly time: Date;
}

type Row = ScannedReport['findings'][number];

/** A product of a statement: an image, with the packages that are not in it. */
interface Product {
  readonly '@id': string;
  readonly identifiers: { readonly purl: string };
  readonly hashes?: Readonly<Record<string, string>>;
  readonly subcomponents?: readonly {
    readonly '@id': string;
    readonly identifiers: { readonly purl: string };
  }[];
}

/**
 * Renders the document. Null where no finding went away: a document must have a statement. A statement names a vulnerability, and every image
 * of the result that its packages are not in; packages without a package URL cannot be named, and are left out.
 */
export function renderVex({ tool, platforms }: Report, context: VexContext): string | null {
  const named = platforms.flatMap((platform) =>
    [...goneIn(platform)].flatMap(([id, rows]) => {
      const product = productOf(platform, rows, context);
      return product === null ? [] : [{ id, product }];
    }),
  );
  if (named.length === 0) return null;
  const statements = [...Map.groupBy(named, ({ id }) => id)].map(([id, rows]) => ({
    vulnerability: { name: id },
    products: rows.map(({ product }) => product),
    status: 'not_affected',
    justification: 'component_not_present',
  }));
  const body = {
    author: tool.name,
    role: 'Document Creator',
    timestamp: formatTime(context.time),
    version: 1,
    tooling: `${tool.name}/${tool.version}`,
    statements,
  };
  const document = {
    '@context': 'https://openvex.dev/ns/v0.2.0',
    '@id': `urn:uuid:${uuidOfText(JSON.stringify(body))}`,
    ...body,
  };
  return `${safeJsonText(JSON.stringify(document, null, 2))}\n`;
}

/** Lists the vulnerabilities of which a package went from an image. A package that another finding of the same name still has is not one. */
function goneIn({ scanned }: PlatformReport): ReadonlyMap<string, readonly Row[]> {
  const all = scanned?.findings ?? [];
  const gone = Map.groupBy(
    all.filter(({ fate, purl }) => fate === 'gone' && purl !== null),
    ({ id }) => id,
  );
  const left = new Set(all.filter(({ fate }) => fate !== 'gone').map(({ id, purl }) => `${id} ${purl}`));
  return new Map(
    [...gone].flatMap(([id, rows]) => {
      const absent = rows.filter(({ purl }) => !left.has(`${id} ${purl}`));
      return absent.length === 0 ? [] : [[id, absent] as const];
    }),
  );
}

function productOf(
  { platform, digest }: PlatformReport,
  rows: readonly Row[],
  { name, repository, tag }: VexContext,
): Product | null {
  if (digest === null || !isDigest(digest)) return null;
  const architecture = platform?.split('/')[1] ?? null;
  const purl = imagePurl({ name, digest, architecture, repository, tag });
  if (purl === null) return null;
  const [, hash] = /^sha256:(.+)$/.exec(digest) ?? [];
  const purls = [...new Set(rows.flatMap((row) => row.purl ?? []))];
  return {
    '@id': purl,
    identifiers: { purl },
    ...(hash === undefined ? {} : { hashes: { 'sha-256': hash } }),
    subcomponents: purls.map((each) => ({ '@id': each, identifiers: { purl: each } })),
  };
}
