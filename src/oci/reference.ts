/**
 * References to images as people write them, in one table of forms. Pure: nothing here looks whether an image is there;
 * jobs/openers.ts opens the places.
 */
import { OcislimError } from '../errors.ts';
import type { Digest } from './digest.ts';
import { dockerArchiveForm } from './forms/docker-archive-form.ts';
import type { Form } from './forms/form.ts';
import { layoutForm, ociArchiveForm } from './forms/layout-form.ts';
import { registryForm, type RegistryReference } from './forms/registry-form.ts';

export type { RegistryReference } from './forms/registry-form.ts';

/** All forms, by the kind of their references. A new row needs one more opener in jobs/openers.ts, and nothing else. */
const forms = {
  registry: registryForm,
  layout: layoutForm,
  'oci-archive': ociArchiveForm,
  'docker-archive': dockerArchiveForm,
} as const;

/** Where an image is: one variant for each form. */
export type Reference = ReturnType<(typeof forms)[keyof typeof forms]['parse']>;

const table: readonly Form<Reference>[] = Object.values(forms);

/** Prefixes that other tools know and ocislim does not. Default advice: all forms. */
const refused: Readonly<Record<string, readonly [why: string, advice?: string]>> = {
  'docker-daemon:': [
    'ocislim works without a daemon',
    'Save the image first (docker save -o image.tar NAME) and use docker-archive:image.tar, or push it to a registry.',
  ],
  'containers-storage:': [
    "ocislim does not read podman's local storage",
    'Save the image first (podman save --format oci-archive -o image.tar NAME) and use oci-archive:image.tar.',
  ],
  'dir:': ['the form "dir:" is not known here'],
  'sif:': ['the form "sif:" is not known here'],
  'ostree:': ['the form "ostree:" is not known here'],
  'http:': ['the form "http:" is not known here'],
  'https:': ['the form "https:" is not known here'],
};

/** Returns the row of a reference's form. */
export function formOf(reference: Reference): Form<Reference> {
  return forms[reference.kind];
}

/** Reads a reference of any form. @throws REFERENCE_INVALID */
export function parseReference(text: string): Reference {
  const refuse = (why: string, advice: string = howToWrite()) =>
    new OcislimError('REFERENCE_INVALID', `cannot use ${JSON.stringify(withoutPassword(text))}: ${why}`, {
      advice,
    });
  const form = table.find(({ prefix }) => text.startsWith(prefix));
  if (form !== undefined) return form.parse(text.slice(form.prefix.length), refuse);
  const reason = Object.entries(refused).find(([prefix]) => text.startsWith(prefix));
  if (reason !== undefined) throw refuse(...reason[1]);
  return registryForm.parse(text, refuse);
}

function howToWrite(): string {
  const syntaxes = table.map(({ syntax }) => syntax);
  return `Write ${syntaxes.slice(0, -1).join(', ')} or ${syntaxes.at(-1)}.`;
}

/** Returns the reference as text that `parseReference` reads as the same reference. */
export function formatReference(reference: Reference): string {
  return formOf(reference).format(reference);
}

/** Hides the password in a text such as `user:password@host/app`, for messages about references. */
export function withoutPassword(text: string): string {
  if (table.some(({ isLocal, prefix }) => isLocal && text.startsWith(prefix))) return text;
  let at = text.lastIndexOf('@');
  // An "@" before a digest belongs to the digest.
  if (/^@sha(?:256|512):/.test(text.slice(at, at + 8))) at = at === 0 ? -1 : text.lastIndexOf('@', at - 1);
  const colon = text.indexOf(':');
  return colon < 0 || colon > at ? text : `${text.slice(0, colon)}:***${text.slice(at)}`;
}

export function isRegistry(reference: Reference): reference is RegistryReference {
  return reference.kind === 'registry';
}

/** Returns whether a reference means standard input or output: an archive whose path is `-`. */
export function isStream(reference: Reference): boolean {
  return 'path' in reference && reference.path === '-' && formOf(reference).isWrittenWhole;
}

/** Returns the host of the registry that a reference names; null for a place on this machine. */
export function hostOf(reference: Reference): string | null {
  return 'host' in reference ? reference.host : null;
}

/** Returns the digest that a reference states, if its form has digests. */
export function digestOfReference(reference: Reference): Digest | null {
  return 'digest' in reference ? reference.digest : null;
}

/** Returns a reference to the manifest with this digest; the reference itself where its form has no digests. */
export function withDigest(reference: Reference, digest: Digest): Reference {
  if (isRegistry(reference)) return { ...reference, digest, untagged: false };
  return 'digest' in reference ? { ...reference, digest } : reference;
}

/** Returns whether a reference names a destination that gets no tag (`app@`), so that nothing can be read from it. */
export function isUntagged(reference: Reference): boolean {
  return isRegistry(reference) && reference.untagged;
}
