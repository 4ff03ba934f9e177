import { readdirSync, readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { parseAst } from 'vitest/node';

const src = fileURLToPath(new URL('../../src', import.meta.url));

/**
 * The calls that get a list of arguments, by file. V8 puts arguments on the stack: a call with some 120,000 of them ends in a
 * RangeError. So each of these lists is one that the sources themselves spell out, or a tuple; none comes from input.
 */
const allowed: Readonly<Record<string, readonly string[]>> = {
  'bytes/path.ts': ['ascii(parts, ...values)', 'asciiList(...names)'],
  'cli/help/layout.ts': [
    'Math.max(0, ...entries.map(([name]) => name.length).filter((length) => length <= most))',
  ],
  'cli/help/preset-list.ts': ['Math.max(...presets.map(({ name }) => name.length))'],
  'codec/encoding.ts': [
    'Math.max( ...packedFormats.flatMap((format) => engineNames(format).map((engine) => engineIn(format, engine).levels.highest), ), )',
  ],
  'jobs/compare/image-pairs.ts': ['pairUp(...sides)'],
  'registry/auth/credential-store.ts': ['keys.push(...namesOf(host))'],
  'registry/http/connector.ts': [
    'callback(...outcome)',
    'callback(...outcome)',
    'callback(...outcome)',
    'done(...outcome)',
  ],
  'registry/lease.ts': ['new RegistryClient(...made)'],
  'registry/target.ts': ['faultOfManifest(this.#repository, digest, ...how)'],
  'registry/upload/presence.ts': ['faultOfBlob(this.#repository, { digest, size }, ...how)'],
  'rootfs/facts/elf-dynamic.ts': ['Math.max(...[...knownImports].map((name) => name.length))'],
  'slim/presets.ts': ["each(['**/bin'], ...names.split(' '))"],
  'store/server/serve-registry.ts': ['handle(...exchange)'],
};

interface Call {
  readonly start: number;
  readonly end: number;
  readonly callee: { readonly type: string; readonly property?: { readonly name?: string } };
  readonly arguments: readonly { readonly type: string; readonly value?: unknown }[];
}

function isCall(node: object): node is Call {
  return 'type' in node && (node.type === 'CallExpression' || node.type === 'NewExpression');
}

/** Returns whether a call has as many arguments as some list has elements. */
function takesList({ callee, arguments: given }: Call): boolean {
  const isApplied = callee.type === 'MemberExpression' && callee.property?.name === 'apply';
  return (isApplied && given[0]?.value === null) || given.some(({ type }) => type === 'SpreadElement');
}

function callsIn(text: string): readonly string[] {
  const source = stripTypeScriptTypes(text);
  const found: string[] = [];
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    if (isCall(node) && takesList(node))
      found.push(source.slice(node.start, node.end).replaceAll(/\s+/g, ' '));
    for (const child of Object.values(node)) visit(child);
  };
  visit(parseAst(source));
  return found;
}

test('no list of input is spread into the arguments of a call', () => {
  const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.ts'),
  );
  const found = files
    .map((file) => [file, callsIn(readFileSync(join(src, file), 'utf8'))] as const)
    .filter(([, calls]) => calls.length > 0);
  expect(found.length).toBeGreaterThan(5);
  expect(Object.fromEntries(found)).toEqual(allowed);
});

test.each([
  ['list.push(...others)', 1],
  ['Math.max(0, ...others.map((each) => each.size))', 1],
  ['new Map(...others)', 1],
  ['Math.max.apply(null, others)', 1],
  ['tree.apply(changes)', 0],
  ['new Set([...others]), f({ ...others })', 0],
  ['const f = (...others: string[]) => others', 0],
])('%s is found %i times', (text, count) => {
  expect(callsIn(text)).toHaveLength(count);
});
