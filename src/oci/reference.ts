/**
 * References to images as people write them, in one table of forms. Pure: nothing here looks whether an image is there;
 * jobs/openers.ts opens the places.
 */
import { OcislimError } from '../errors.ts';
import type { Digest } from './digest.ts';
import { dockerArchiveForm } from './forms/docker-archive-form.ts';
import type { Form } from './forms/form.ts';
import { hintFor } from './forms/hints.ts';
import { layoutForm, ociArchiveForm } from './forms/layout-form.ts';
import { registryForm, type RegistryReference } from './forms/registry-form.ts';
import { scratchForm } from './forms/scratch-form.ts';

export type { RegistryReference } from './forms/registry-form.ts';

/** All forms, by the kind of their references. A new row needs one more opener in jobs/openers.ts, and nothing else. */
const forms = {
  registry: registryForm,
  layout: layoutForm,
  'oci-archive': ociArchiveForm,
  'docker-archive': dockerArchiveForm,
  scratch: scratchForm,
} as const;

/** Where an image is: one variant for each form. */
export type Reference = ReturnType<(typeof forms)[keyof typeof forms]['parse']>[number];

const table: readonly Form<Reference>[] = Object.values(forms);

/** Returns the row of a reference's form. */
export function formOf(reference: Reference): Form<Reference> {
  return forms[reference.kind];
}

/** Reads a reference of any form: the likeliest of its readings. @throws REFERENCE_INVALID */
export function parseReference(text: string): Reference {
  const [reference] = readingsOfText(text);
  if (reference === undefined) throw refusal(text, 'it is not a reference');
  return reference;
}

/** Returns all that a reference may mean once it is written as text, itself first. */
export function readingsOf(reference: Reference): readonly Reference[] {
  const text = formatReference(reference);
  const others = readingsOfText(text).filter((reading) => !isEqual(reading, reference));
  return [reference, ...others];
}

function isEqual(a: Reference, b: Reference): boolean {
  return JSON.stringify(a, Object.keys(a).toSorted()) === JSON.stringify(b, Object.keys(a).toSorted());
}

/** Returns whether a text begins as one of the forms does, so that it says itself what it is. */
export function hasForm(text: string): boolean {
  return table.some(({ prefix }) => text.startsWith(prefix));
}

/**
 * Says why the path of a reference does not end at its first colon: what follows cannot be the name of an image. Null for a path without a
 * colon.
 */
export function problemOfName(reference: Reference): OcislimError | null {
  if (!('path' in reference)) return null;
  const form = formOf(reference);
  const rest = formatReference({ ...reference, digest: null })
    .slice(form.prefix.length)
    // Added where the text has no tag.
    .replace(/:latest$/, '');
  const colon = rest.indexOf(':', 1);
  if (colon < 0 || colon >= reference.path.length) return null;
  return form.problemOf(rest.slice(colon + 1), rest, (why, advice) =>
    refusal(`${form.prefix}${rest}`, why, advice),
  );
}

function readingsOfText(text: string): readonly Reference[] {
  const refuse = (why: string, advice?: string) => refusal(text, why, advice);
  const form = table.find(({ prefix }) => text.startsWith(prefix)) ?? registryForm;
  const hint = hintFor(text, form.isLocal);
  if (hint !== null) throw refuse(hint.why, hint.advice);
  return form.parse(text.startsWith(form.prefix) ? text.slice(form.prefix.length) : text, refuse);
}

function refusal(text: string, why: string, given?: string): OcislimError {
  const isSecret = given !== undefined && given.split(' ').some((word) => withoutPassword(word) !== word);
  const advice = given === undefined || (isSecret && withoutPassword(text) !== text) ? howToWrite() : given;
  return new OcislimError(
    'REFERENCE_INVALID',
    `cannot use ${JSON.stringify(withoutPassword(text))}: ${why}`,
    { advice },
  );
}

function howToWrite(): string {
  // No image is there to be read or written: `build` writes this form where no base is named.
  const syntaxes = table.filter((form) => form !== scratchForm).map(({ syntax }) => syntax);
  return `Write ${syntaxes.slice(0, -1).join(', ')} or ${syntaxes.at(-1)}.`;
}

/** Returns the reference as text. Where its path has a colon or an "@", the text has further readings. */
export function formatReference(reference: Reference): string {
  return formOf(reference).format(reference);
}

/** Hides the password in a text such as `user:password@host/app`, for messages about references. */
export function withoutPassword(text: string): string {
  if (
    table.some(({ isLocal, prefix }) => isLocal && text.startsWith(prefix) && !text.startsWith(`${prefix}//`))
  )
    return text;
  // The final "@" of a destination without a tag.
  if (text.endsWith('@') && text.includes('/')) return `${withoutPassword(text.slice(0, -1))}@`;
  let at = text.lastIndexOf('@');
  // An "@" before a digest, well written or not, belongs to the digest.
  if (digestLike.test(text.slice(at + 1))) at = at <= 0 ? -1 : text.lastIndexOf('@', at - 1);
  const colon = text.indexOf(':');
  return colon < 0 || colon > at ? text : `${text.slice(0, colon)}:***${text.slice(at)}`;
}

/** An algorithm with digits, or with nothing after its colon, or a position. No host is written so. */
const digestLike =
  /^[0-9]{1,9}$|^(?:sha-?(?:1|224|256|384|512)|md5|blake[23][a-z0-9-]*)(?::[0-9a-z]*)?$|^[a-z0-9+._-]+:[0-9a-f]{32,}$/i;

export function isRegistry(reference: Reference): reference is RegistryReference {
  return reference.kind === 'registry';
}

/** Returns whether a reference means standard input or output: an archive whose path is `-`. */
export function isStream(reference: Reference): boolean {
  return 'path' in reference && reference.path === '-' && formOf(reference).isWrittenWhole;
}

/** Returns whether a text is a reference that means standard input or output. */
export function isStreamText(text: string): boolean {
  const form = table.find(({ prefix }) => text.startsWith(prefix));
  return form?.isWrittenWhole === true && /^-(?:[:@]|$)/.test(text.slice(form.prefix.length));
}

/** Returns the host of the registry that a reference names; null for a place on this machine. */
export function hostOf(reference: Reference): string | null {
  return 'host' in reference ? reference.host : null;
}

/** Returns the digest that a reference states, if its form has digests. */
export function digestOfReference(reference: Reference): Digest | null {
  return 'digest' in reference ? reference.digest : null;
}

/** Returns a reference to the manifest with this digest; the reference itself where results are not named by digest. */
export function withDigest(reference: Reference, digest: Digest): Reference {
  return formOf(reference).withDigest(reference, digest);
}

/** Returns where an image stands in the list of a place, from 0; null where the reference does not say. */
export function positionOf(reference: Reference): number | null {
  return 'position' in reference ? reference.position : null;
}

/** Returns whether a reference names a destination that gets no tag (`app@`), so that nothing can be read from it. */
export function isUntagged(reference: Reference): boolean {
  return isRegistry(reference) && reference.untagged;
}
