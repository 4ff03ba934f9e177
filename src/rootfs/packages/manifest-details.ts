/** Licences and authors as manifests in JSON state them: package.json, composer.json, the records of conda. */
import { listOf, memberOf } from '../../bytes/json-value.ts';

/** The most licences that are taken from one manifest. */
const maxLicences = 100;

/** Returns the licences of a member: a text, an object with a `type` or `name`, or a list of these. Each once. */
export function licencesIn(value: unknown): readonly string[] {
  const found = (Array.isArray(value) ? value : [value]).slice(0, maxLicences).flatMap((each: unknown) => {
    const text = typeof each === 'string' ? each : (memberOf(each, 'type') ?? memberOf(each, 'name'));
    return typeof text === 'string' && text.trim() !== '' ? [text.trim()] : [];
  });
  return [...new Set(found)];
}

/** Returns the first author of a member: a text, an object with a `name` and perhaps an `email`, or a list of these. */
export function authorsIn(value: unknown): string | null {
  const [first = value] = listOf(value);
  if (typeof first === 'string') return first.trim() === '' ? null : first.trim();
  const name = memberOf(first, 'name');
  const email = memberOf(first, 'email');
  if (typeof name !== 'string' || name === '') return null;
  return typeof email === 'string' && email !== '' ? `${name} <${email}>` : name;
}
