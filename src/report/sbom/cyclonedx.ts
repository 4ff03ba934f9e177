/**
 * Writes a bill of materials in CycloneDX 1.6, as JSON. The models of its library make the members; occurrences and compositions, which
 * it has none for, are added here.
 */
import {
  ComponentType,
  ExternalReferenceType,
  HashAlgorithm,
  LifecyclePhase,
} from '@cyclonedx/cyclonedx-library/Enums';
import * as Models from '@cyclonedx/cyclonedx-library/Models';
import { JSON as Json } from '@cyclonedx/cyclonedx-library/Serialize';
import { Spec1dot6 } from '@cyclonedx/cyclonedx-library/Spec';
import type { Bill, BilledComponent, BilledImage } from '../../analyze/bill.ts';
import { algorithmOf, hexOf } from '../../oci/digest.ts';
import type { Distribution } from '../../rootfs/packages/distribution.ts';
import { renderDocument } from './document.ts';
import {
  type BillStyle,
  componentProperties,
  imageProperties,
  locationsOf,
  type Property,
  References,
  timeOf,
  tool,
  uuidOf,
} from './facts.ts';
import { imagePurl } from './image-purl.ts';
import { readLicence } from './licences.ts';

const factory = new Json.Normalize.Factory(Spec1dot6);
const normalizing = { sortLists: false };

/** The name of the image within the document. */
const rootReference = 'image';

/** Renders a bill as text, piece by piece. */
export function renderCycloneDx(bill: Bill, style: BillStyle): Generator<string> {
  const head = new Models.Bom({
    serialNumber: `urn:uuid:${uuidOf(bill, style, 'cyclonedx')}`,
    metadata: new Models.Metadata({
      timestamp: timeOf(bill),
      lifecycles: new Models.LifecycleRepository([LifecyclePhase.PostBuild]),
      tools: new Models.Tools({
        components: new Models.ComponentRepository([
          new Models.Component(ComponentType.Application, tool, { version: style.version }),
        ]),
      }),
      component: imageComponent(bill),
    }),
  });
  const { components: _, dependencies: __, ...members } = factory.makeForBom().normalize(head, normalizing);
  return renderDocument({
    ...members,
    components: componentsOf(bill, style),
    compositions:
      bill.unread.length === 0 ? undefined : [{ aggregate: 'incomplete', assemblies: [rootReference] }],
  });
}

function imageComponent(bill: Bill): Models.Component {
  const { image } = bill;
  return new Models.Component(ComponentType.Container, image.name, {
    bomRef: rootReference,
    version: image.digest,
    ...purlMember(imagePurl(image)),
    hashes: new Models.HashDictionary([[hashAlgorithm(image), hexOf(image.digest)]]),
    properties: propertiesOf(imageProperties(bill)),
  });
}

function hashAlgorithm({ digest }: BilledImage): HashAlgorithm {
  return algorithmOf(digest) === 'sha256' ? HashAlgorithm['SHA-256'] : HashAlgorithm['SHA-512'];
}

function* componentsOf(bill: Bill, style: BillStyle): Generator {
  const normalizer = factory.makeForComponent();
  const { distribution } = bill;
  if (distribution !== null) yield normalizer.normalize(systemComponent(distribution), normalizing);
  const references = new References();
  for (const component of bill.components) {
    const made = packageComponent(component, references.next(component), bill);
    const members = normalizer.normalize(made, normalizing);
    const occurrences = style.files ? [...locationsOf(component)].map((location) => ({ location })) : [];
    yield occurrences.length === 0 ? members : { ...members, evidence: { occurrences } };
  }
}

function systemComponent({ id, version, title, homepage }: Distribution): Models.Component {
  return new Models.Component(ComponentType.OperatingSystem, id, {
    bomRef: 'operating-system',
    ...(version === null ? {} : { version }),
    ...(title === null ? {} : { description: title }),
    externalReferences: new Models.ExternalReferenceRepository(
      homepage !== null && URL.canParse(homepage) && /^https?:/.test(homepage)
        ? [new Models.ExternalReference(new URL(homepage).href, ExternalReferenceType.Website)]
        : [],
    ),
  });
}

function packageComponent(component: BilledComponent, reference: string, { layers }: Bill): Models.Component {
  const { name, version, purl, supplier, licences } = component;
  return new Models.Component(ComponentType.Library, name, {
    bomRef: reference,
    ...(version === null ? {} : { version }),
    ...purlMember(purl),
    ...(supplier === null ? {} : { supplier: new Models.OrganizationalEntity({ name: supplier }) }),
    licenses: new Models.LicenseRepository(licencesOf(licences)),
    properties: propertiesOf(componentProperties(component, layers)),
  });
}

/** Returns the licences: one expression alone, or any number of identifiers and names, as the format demands. */
function licencesOf(texts: readonly string[]): readonly Models.License[] {
  const read = texts.map(readLicence);
  const [first, ...more] = read;
  if (first?.kind === 'expression' && more.length === 0)
    return [new Models.LicenseExpression(first.expression)];
  return read.map((licence) => {
    switch (licence.kind) {
      case 'id':
        return new Models.SpdxLicense(licence.id);
      case 'expression':
        return new Models.NamedLicense(licence.expression);
      case 'name':
        return new Models.NamedLicense(licence.name);
    }
  });
}

function purlMember(purl: string | null): { readonly purl?: string } {
  return purl === null ? {} : { purl };
}

function propertiesOf(properties: readonly Property[]): Models.PropertyRepository {
  return new Models.PropertyRepository(properties.map(([name, value]) => new Models.Property(name, value)));
}
