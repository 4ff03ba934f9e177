import { type Mutator, replacePart } from './mutate.ts';

const oddKeys = ['__proto__', 'constructor', 'toString', 'mediaType', 'Layers', 'digest', 'a', ''];
const oddValues = [
  'null',
  '-1',
  '1e999',
  '9007199254740993',
  '0.1',
  '""',
  '"\\ud800"',
  '[]',
  '{}',
  '[[]]',
  'true',
  '"\\u0000"',
  '{"__proto__":1}',
  `${'['.repeat(101)}${']'.repeat(101)}`,
];

/** Where values begin and end, as far as one can tell without reading it all: strings, numbers, words. */
const scalars = /"(?:[^"\\]|\\.)*"|-?[0-9][0-9.eE+-]*|true|false|null/g;

const setValue: Mutator = (bytes, random) => {
  const found = [...Buffer.from(bytes).toString('latin1').matchAll(scalars)];
  if (found.length === 0) return Buffer.from(random.pick(oddValues));
  const at = random.pick(found);
  return replacePart(bytes, at.index, at[0].length, Buffer.from(random.pick(oddValues)));
};

const addMember: Mutator = (bytes, random) => {
  const found = [...Buffer.from(bytes).toString('latin1').matchAll(/\{/g)];
  if (found.length === 0) return setValue(bytes, random, bytes);
  const member = `${JSON.stringify(random.pick(oddKeys))}:${random.pick(oddValues)},`;
  return replacePart(bytes, random.pick(found).index + 1, 0, Buffer.from(member));
};

/** One scalar where another is: texts get into the place of digests, numbers into that of texts. */
const moveValue: Mutator = (bytes, random, other) => {
  const from = [...Buffer.from(other).toString('latin1').matchAll(scalars)];
  const to = [...Buffer.from(bytes).toString('latin1').matchAll(scalars)];
  if (from.length === 0 || to.length === 0) return bytes;
  const at = random.pick(to);
  return replacePart(bytes, at.index, at[0].length, Buffer.from(random.pick(from)[0], 'latin1'));
};

const dropValue: Mutator = (bytes, random) => {
  const members = [
    ...Buffer.from(bytes)
      .toString('latin1')
      .matchAll(/"(?:[^"\\]|\\.)*"\s*:\s*(?:"(?:[^"\\]|\\.)*"|[0-9.]+|true|false|null)\s*,?/g),
  ];
  if (members.length === 0) return bytes;
  const at = random.pick(members);
  return replacePart(bytes, at.index, at[0].length, new Uint8Array(0));
};

/** Mutations that leave most JSON texts ones. */
export const jsonMutators: readonly Mutator[] = [setValue, setValue, addMember, moveValue, dropValue];
