/**
 * Hides the values of variables that seem to hold secrets, before a comparison shows them: it may end in a comment that everyone reads.
 * `diff-documents.ts` and `diff-layers.ts` call it.
 */
import type { ImageConfig } from '../../oci/image-config.ts';
import { isJsonObject, type JsonObject, own } from '../../oci/json.ts';
import { secretVariables } from '../../rootfs/surface/secrets.ts';
import { canonical, type MemberDifference } from './compare-members.ts';

const hidden = '(hidden)';
const hiddenToo = '(hidden, another value)';
/** Shorter values are hidden behind the name of their variable alone: elsewhere they may be any word. */
const shortestTold = 6;

/** Returns a text without the secret values in it. */
export type Hider = (text: string) => string;

/** Returns what hides the secret variables of some configs wherever a text repeats them: `ENV TOKEN=…` in a history. */
export function hiderOf(configs: readonly ImageConfig[]): Hider {
  const secrets = configs
    .flatMap(variablesOf)
    .filter(([name, value]) => isSecret(name, value))
    // Longest first: one value may begin another.
    .toSorted(([, a], [, b]) => b.length - a.length);
  const replaced = secrets.flatMap(([name, value]) =>
    [...new Set([value, JSON.stringify(value).slice(1, -1)])].flatMap((written): [string, string][] => [
      ...['=', '="', "='", ' '].map((between): [string, string] => [
        `${name}${between}${written}`,
        `${name}${between}${hidden}`,
      ]),
      ...(written.length < shortestTold ? [] : [[written, hidden] as [string, string]]),
    ]),
  );
  return (text) =>
    replaced.reduce((done, [from, to]) => done.replaceAll(from, () => to), hideAssignment(text));
}

/** Hides secrets in a member of a config that differs. The names of members stay. */
export function hideSecrets({ member, a, b }: MemberDifference, hider: Hider): MemberDifference {
  const name = member.startsWith('config.Env.') ? member.slice('config.Env.'.length) : null;
  const hide = (json: string | null, word: string) => {
    if (json === null) return null;
    const value: unknown = JSON.parse(json);
    if (name !== null && typeof value === 'string' && isSecret(name, value)) return canonical(word);
    return canonical(withoutSecrets(value, hider));
  };
  const before = hide(a, hidden);
  return { member, a: before, b: hide(b, before === canonical(hidden) ? hiddenToo : hidden) };
}

function withoutSecrets(value: unknown, hider: Hider): unknown {
  if (typeof value === 'string') return hider(value);
  if (Array.isArray(value)) return value.map((item) => withoutSecrets(item, hider));
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withoutSecrets(item, hider)]));
}

/** Hides the value of an item of a list of variables. */
function hideAssignment(text: string): string {
  const [name, value] = splitVariable(text);
  return /^\w+$/.test(name) && isSecret(name, value) ? `${name}=${hidden}` : text;
}

function variablesOf({ json }: { readonly json: JsonObject }): [name: string, value: string][] {
  const config = own(json, 'config');
  const list = isJsonObject(config) ? own(config, 'Env') : null;
  if (!Array.isArray(list)) return [];
  return list.filter((text) => typeof text === 'string').map(splitVariable);
}

function splitVariable(text: string): [name: string, value: string] {
  const equals = text.indexOf('=');
  return equals < 0 ? [text, ''] : [text.slice(0, equals), text.slice(equals + 1)];
}

function isSecret(name: string, value: string): boolean {
  return secretVariables(new Map([[name, value]])).length > 0;
}
