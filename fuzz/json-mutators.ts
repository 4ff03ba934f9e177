/** Mutations of JSON texts that mostly leave them JSON. Targets of documents use them beside the general ones. */
import { type Mutator, replacePart } from './mutate.ts';
import type { Random } from './random.ts';

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

/** Strings, numbers and words, as far as a pattern can find them without parsing. */
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

/** Puts one scalar in the place of another: texts in place of digests, numbers in place of texts. */
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

/** Mutations that leave most JSON texts valid. */
export const jsonMutators: readonly Mutator[] = [setValue, setValue, addMember, moveValue, dropValue];

type Tree = null | boolean | number | string | Tree[] | { [key: string]: Tree };

const oddTrees: readonly Tree[] = [
  null,
  true,
  0,
  -1,
  1.5,
  2 ** 53,
  '',
  'a',
  '\u0000',
  '\ud800',
  '2024-13-01T00:00:00Z',
  '1970-01-01T00:00:00Z',
  'x'.repeat(500),
  [],
  {},
  [[]],
  [null],
  { empty_layer: true },
];

/** Returns the value with one change in it: a part replaced, left out, doubled or moved. */
function changeTree(tree: Tree, random: Random): Tree {
  if (Array.isArray(tree)) {
    if (tree.length === 0 || random.once(6))
      return random.pick([random.pick(oddTrees), [...tree, ...tree], tree.toReversed()]);
    const at = random.below(tree.length);
    const item = tree[at] as Tree;
    switch (random.below(8)) {
      case 0:
        return tree.toSpliced(at, 1);
      case 1:
        return tree.toSpliced(at, 0, item);
      case 2:
        return tree.with(at, tree[random.below(tree.length)] as Tree);
      default:
        return tree.with(at, changeTree(item, random));
    }
  }
  if (typeof tree !== 'object' || tree === null) return random.pick(oddTrees);
  const pairs = Object.entries(tree);
  if (pairs.length === 0 || random.once(20)) return random.pick(oddTrees);
  const at = random.below(pairs.length);
  const [key, value] = pairs[at] as [string, Tree];
  switch (random.below(10)) {
    case 0:
      return Object.fromEntries(pairs.toSpliced(at, 1));
    case 1:
      return Object.fromEntries([...pairs, [random.pick(oddKeys), value]]);
    case 2:
      return Object.fromEntries(pairs.with(at, [key, random.pick(pairs)[1]]));
    default:
      return Object.fromEntries(pairs.with(at, [key, changeTree(value, random)]));
  }
}

/** Changes one of several JSON texts with a border between them, and leaves it valid. */
export function treeMutator(border: string): Mutator {
  return (bytes, random) => {
    const texts = Buffer.from(bytes).toString().split(border);
    const at = random.below(texts.length);
    let tree: Tree;
    try {
      tree = JSON.parse(texts[at] as string) as Tree;
    } catch {
      return bytes;
    }
    return Buffer.from(texts.with(at, JSON.stringify(changeTree(tree, random))).join(border));
  };
}
