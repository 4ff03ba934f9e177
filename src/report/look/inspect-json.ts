/**
 * Renders what the documents of an image say: as one JSON object, or by a template with the names that skopeo and docker have for
 * its parts. The command `inspect` calls it.
 */
import type { DescribedImage, DescribedMember } from '../../jobs/look/documents.ts';
import { isJsonObject, type JsonObject } from '../../oci/json.ts';
import { safeJsonText } from '../escape.ts';
import { fillIn, parseTemplate } from './template.ts';

/** Renders the description as JSON that can be printed to a terminal. Members that are null are left out. */
export function renderDescription(described: DescribedImage): string {
  const present = Object.entries(described).filter(([, value]) => value !== null);
  return `${safeJsonText(JSON.stringify(Object.fromEntries(present), null, 2))}\n`;
}

/** Renders a line by a template for each image; for an index without images, and an artifact, one line. @throws USAGE */
export function renderDescriptionBy(text: string, described: DescribedImage): string {
  const template = parseTemplate(text);
  const members = described.images.length === 0 ? [null] : described.images;
  return members.map((member) => `${fillIn(template, fieldsOf(described, member))}\n`).join('');
}

/** Returns the fields of `skopeo inspect`, and those of `docker inspect` that a manifest and a config tell. */
function fieldsOf(described: DescribedImage, member: DescribedMember | null) {
  const config: JsonObject = member?.config ?? {};
  const run = isJsonObject(config['config']) ? config['config'] : {};
  const layers = member?.layers ?? [];
  return {
    Name: described.name,
    Digest: member === null || described.images.length === 1 ? described.digest : member.digest,
    MediaType: described.mediaType,
    Created: member?.created ?? null,
    Author: config['author'] ?? null,
    Architecture: config['architecture'] ?? null,
    Os: config['os'] ?? null,
    Variant: config['variant'] ?? null,
    Platform: member?.platform ?? null,
    Labels: run['Labels'] ?? {},
    Env: run['Env'] ?? [],
    Size: layers.reduce((sum, { transferBytes }) => sum + transferBytes, 0),
    Layers: layers.map(({ digest }) => digest),
    LayersData: layers.map(({ mediaType, digest, transferBytes }) => ({
      MIMEType: mediaType,
      Digest: digest,
      Size: transferBytes,
    })),
    RootFS: { Type: 'layers', Layers: layers.map(({ diffId }) => diffId) },
    Config: run,
    Manifest: member?.manifest ?? described.artifact,
    Id: isJsonObject(member?.manifest['config']) ? member.manifest['config']['digest'] : null,
    Children: described.children,
    Referrers: described.referrers,
  };
}
