/**
 * Writes a bill of materials in SPDX 2.3, as JSON (ISO/IEC 5962 with its additions of 2022). What the format has no member for is in
 * annotations.
 */
import { createHash } from 'node:crypto';
import type { Bill, BilledComponent } from '../../analyze/bill.ts';
import { algorithmOf, hexOf } from '../../oci/digest.ts';
import type { Distribution } from '../../rootfs/packages/distribution.ts';
import { isOfDistribution } from '../../rootfs/packages/package.ts';
import { escapeText } from '../escape.ts';
import { renderDocument } from './document.ts';
import {
  type BillStyle,
  componentProperties,
  imageProperties,
  locationsOf,
  type Property,
  timeOf,
  tool,
  uuidOf,
} from './facts.ts';
import { imagePurl } from './image-purl.ts';
import { formatTime } from '../figures.ts';
import { readLicence } from './licences.ts';

const documentId = 'SPDXRef-DOCUMENT';
const imageId = 'SPDXRef-Image';
const systemId = 'SPDXRef-OperatingSystem';

/** What every package of a document has: nothing was downloaded for it, and its files were not analyzed. */
const unstated = {
  downloadLocation: 'NOASSERTION',
  filesAnalyzed: false,
  licenseConcluded: 'NOASSERTION',
  copyrightText: 'NOASSERTION',
};

/** Renders a bill as text, piece by piece. */
export function renderSpdx(bill: Bill, style: BillStyle): Generator<string> {
  const { image } = bill;
  const made = { date: formatTime(timeOf(bill)), by: `Tool: ${tool}-${style.version}` };
  return renderDocument({
    spdxVersion: 'SPDX-2.3',
    dataLicense: 'CC0-1.0',
    SPDXID: documentId,
    name: image.reference.toWellFormed(),
    documentNamespace: `https://spdx.org/spdxdocs/${tool}-${uuidOf(bill, style, 'spdx')}`,
    creationInfo: { created: made.date, creators: [made.by] },
    packages: packagesOf(bill, style, made),
    hasExtractedLicensingInfos: otherLicences(bill),
    relationships: relationshipsOf(bill),
  });
}

interface Made {
  readonly date: string;
  readonly by: string;
}

function* packagesOf(bill: Bill, style: BillStyle, made: Made): Generator {
  const { image, distribution, components, layers } = bill;
  yield {
    SPDXID: imageId,
    name: image.name === '' ? 'image' : image.name,
    versionInfo: image.digest,
    primaryPackagePurpose: 'CONTAINER',
    ...unstated,
    licenseDeclared: 'NOASSERTION',
    checksums: [{ algorithm: algorithmOf(image.digest).toUpperCase(), checksumValue: hexOf(image.digest) }],
    ...referencesTo(imagePurl(image)),
    annotations: annotationsOf(imageProperties(bill), made),
  };
  if (distribution !== null) yield systemPackage(distribution);
  for (const [i, component] of components.entries()) {
    const { name, version, purl, supplier, kind } = component;
    const properties: Property[] = [...componentProperties(component, layers)];
    if (style.files)
      for (const location of locationsOf(component)) properties.push(['ocislim:location', location]);
    yield {
      SPDXID: idOf(component, i),
      name: name === '' ? '(unnamed)' : name,
      ...(version === null ? {} : { versionInfo: version }),
      ...(supplier === null ? {} : { supplier: supplierText(supplier, isOfDistribution(kind)) }),
      ...unstated,
      licenseDeclared: declaredLicence(component),
      ...referencesTo(purl),
      annotations: annotationsOf(properties, made),
    };
  }
}

function systemPackage({ id, version, title }: Distribution): object {
  return {
    SPDXID: systemId,
    name: id,
    ...(version === null ? {} : { versionInfo: version }),
    ...(title === null ? {} : { summary: title }),
    primaryPackagePurpose: 'OPERATING-SYSTEM',
    ...unstated,
    licenseDeclared: 'NOASSERTION',
  };
}

/** Returns the identifier of a component. Its number makes it unique, and the rest is for people. */
function idOf({ kind, name }: BilledComponent, index: number): string {
  const words = name.replaceAll(/[^A-Za-z0-9.-]+/g, '-').slice(0, 80);
  return `SPDXRef-Package-${index + 1}-${kind}-${words}`;
}

function referencesTo(purl: string | null): object {
  if (purl === null) return {};
  const reference = { referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator: purl };
  return { externalRefs: [reference] };
}

function annotationsOf(properties: readonly Property[], { date, by }: Made): readonly object[] {
  return properties.map(([name, value]) => ({
    annotationDate: date,
    annotationType: 'OTHER',
    annotator: by,
    comment: `${name}: ${value}`,
  }));
}

/** Returns a supplier in the grammar of the format, "Person: NAME (ADDRESS)". */
function supplierText(text: string, isOrganization: boolean): string {
  const [, named = text, address = ''] = /^([^<]*)<([^<>]*)>/.exec(text) ?? [];
  const clean = (part: string): string => escapeText(part.replaceAll(/[()\s]+/g, ' ').trim());
  const name = clean(named) || clean(address);
  if (name === '') return 'NOASSERTION';
  const mail = clean(address);
  return `${isOrganization ? 'Organization' : 'Person'}: ${name}${mail === '' || mail === name ? '' : ` (${mail})`}`;
}

/** Returns the licences of a component as one expression: all of them hold, as far as its database tells. */
function declaredLicence({ licences }: BilledComponent): string {
  const parts = licences.map((text) => {
    const read = readLicence(text);
    switch (read.kind) {
      case 'id':
        return read.id;
      case 'expression':
        return licences.length === 1 ? read.expression : `(${read.expression})`;
      case 'name':
        return referenceOf(read.name);
    }
  });
  return parts.length === 0 ? 'NOASSERTION' : [...new Set(parts)].join(' AND ');
}

/** Returns the identifier of a licence that SPDX does not list: the same words have the same one. */
function referenceOf(name: string): string {
  return `LicenseRef-${createHash('sha256').update(name).digest('hex').slice(0, 16)}`;
}

/** Yields the words for all licences that SPDX does not list, each once. */
function* otherLicences({ components }: Bill): Generator<object> {
  const seen = new Set<string>();
  for (const { licences } of components)
    for (const text of licences) {
      const read = readLicence(text);
      if (read.kind !== 'name' || seen.has(read.name)) continue;
      seen.add(read.name);
      yield { licenseId: referenceOf(read.name), extractedText: read.name, name: read.name };
    }
}

function* relationshipsOf({ distribution, components }: Bill): Generator<object> {
  const relate = (from: string, relationshipType: string, to: string): object => ({
    spdxElementId: from,
    relationshipType,
    relatedSpdxElement: to,
  });
  yield relate(documentId, 'DESCRIBES', imageId);
  if (distribution !== null) yield relate(imageId, 'CONTAINS', systemId);
  for (const [i, component] of components.entries()) yield relate(imageId, 'CONTAINS', idOf(component, i));
}
