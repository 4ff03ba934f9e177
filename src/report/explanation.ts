/**
 * Answers `--explain` for people: why paths stay, or what takes them. The lines name rules, presets and strengths, and explain these words
 * behind the last path.
 */
import { ascii, type ByteString, utf8Bytes } from '../bytes/bytes.ts';
import { type Path, parentOf } from '../bytes/path.ts';
import type { CheckedClosure } from '../closure/close-image.ts';
import { explain } from '../closure/explain.ts';
import type { Strength } from '../closure/rule.ts';
import { OcislimError } from '../errors.ts';
import type { Image, Pruning } from '../image/image.ts';
import type { Filesystem } from '../rootfs/filesystem.ts';
import type { Rule, RuledKind } from '../rules/rule.ts';
import { createKeepMatcher, createMatcher } from '../rules/rules.ts';
import { presets } from '../slim/presets.ts';
import type { PrunedFilesystem, Resolution } from '../slim/resolve/resolve.ts';
import { displayPath, escapeText } from './escape.ts';

/** The most paths that one pattern explains. */
const mostPaths = 1000;

/** What the words behind a path mean, as docs/closure.md says at more length. */
const strengths: Readonly<Record<Exclude<Strength, 'needed'>, string>> = {
  whole:
    'it belongs to a package, tree or directory of which something is needed; a rule that names it removes it',
  courtesy: 'nothing needs it at run time; a rule that names it removes it',
};

/** An image that was pruned, as far as its answers need it. */
export interface ExplainedImage {
  readonly image: Image;
  readonly resolution: Pick<Resolution, 'pruned' | 'traced'>;
}

/**
 * Explains in lines for a person why paths stay, or what removes them, and then the words of these lines. Each pattern is a path as the user
 * typed it, or a glob. An image that is not pruned has no lines.
 */
export function explainPaths(
  { image, resolution }: ExplainedImage,
  patterns: readonly string[],
): readonly string[] {
  const { pruned, traced } = resolution;
  if (pruned === null) return [];
  const answer = new Explanation(image, pruned, traced);
  const lines = patterns.flatMap((pattern) => answer.lines(pattern));
  return [...lines, ...answer.glossary()];
}

/** What the rules of one pruning say about a path, whether or not they took it. */
interface Asked {
  readonly pruning: Pruning;
  /** Returns the rule that names a path; null for none, and where a rule with `!` takes it back. */
  readonly match: (path: Path, kind: RuledKind) => Rule | null;
  /** The same without the rules with `!`. */
  readonly named: (path: Path, kind: RuledKind) => Rule | null;
  readonly keep: (path: Path) => Rule | null;
}

class Explanation {
  readonly #pruned: PrunedFilesystem;
  readonly #traced: readonly CheckedClosure[];
  readonly #prunings: readonly Asked[];
  /** Words with their meanings, in the order in which they were used. */
  readonly #words = new Map<string, string>();

  constructor({ plan }: Image, pruned: PrunedFilesystem, traced: readonly CheckedClosure[]) {
    this.#pruned = pruned;
    this.#traced = traced;
    const exists = (path: Path): boolean => pruned.before.kind(path) !== null;
    this.#prunings = plan.prunings.map((pruning) => ({
      pruning,
      match: createMatcher(pruning.rules, exists),
      named: createMatcher(
        pruning.rules.filter(({ negated }) => !negated),
        exists,
      ),
      keep: createKeepMatcher(pruning.keep),
    }));
  }

  lines(pattern: string): readonly string[] {
    const { before } = this.#pruned;
    const path = utf8Bytes(pattern);
    // A name may hold the signs of a glob.
    const isName = before.resolve(ascii`/${path}`, { follow: false }).path !== null;
    const matches = isName || !/[*?[]/.test(pattern) ? null : matcherOf(pattern);
    if (matches === null) return this.#path(path);
    const found = [...before.all()].filter((each) => matches(each) !== null);
    if (found.length === 0) return [`${escapeText(pattern)}: matches nothing in the image`];
    const rest = found.length - mostPaths;
    const lines = found.slice(0, mostPaths).flatMap((each) => this.#path(each));
    return rest > 0 ? [...lines, `${escapeText(pattern)}: matches ${rest} more`] : lines;
  }

  glossary(): readonly string[] {
    return [...this.#words].map(([word, meaning]) => `# ${word}: ${escapeText(meaning)}`);
  }

  #path(name: ByteString): readonly string[] {
    const { before, after } = this.#pruned;
    const path = before.resolve(ascii`/${name}`, { follow: false }).path;
    const shown = displayPath(name);
    if (path === null) return [`${shown}: not in the image`];
    const kept = this.#traced.flatMap((closure) => this.#chain(closure, path));
    if (after.kind(path) === null) return [...kept, `${shown}: ${this.#removal(path)}`];
    return kept.length > 0 ? kept : [`${shown}: ${this.#survival(path)}`];
  }

  /** Explains why a trace keeps a path. */
  #chain({ closure }: CheckedClosure, path: Path): readonly string[] {
    const chain = closure.chain(path);
    for (const { rule, strength } of chain) {
      const meaning = closure.describe(rule);
      if (meaning !== null) this.#words.set(rule, meaning);
      if (strength !== 'needed') this.#words.set(strength, strengths[strength]);
    }
    // A line may quote the config, whose text has more characters than bytes: `escapeText` takes those.
    return explain(closure, path).map((line) => escapeText(displayPath(line)));
  }

  /** Says what takes a path: the rule for it, or for a directory above. */
  #removal(path: Path): string {
    for (let at = path; ; at = parentOf(at)) {
      const rule = this.#pruned.ruleOf(at);
      if (rule !== null) {
        const trace = this.#traced.find(({ pruning }) => rule.origin === `--trace ${pruning.trace.name}`);
        if (trace !== undefined)
          return `removed, since nothing that ${escapeText(trace.pruning.trace.name)} saw needs it`;
        return `removed by ${this.#ruleText(rule)}`;
      }
      if (at === '') return 'removed';
    }
  }

  /** Says why a path stays that no trace keeps. */
  #survival(path: Path): string {
    const { before } = this.#pruned;
    const kind = kindOf(before, path);
    for (const { pruning, match, named, keep } of this.#prunings) {
      const kept = keep(path);
      const wish = named(path, kind);
      if (wish !== null && kept !== null)
        return `stays, for --keep ${quoted(kept)} wins over ${this.#ruleText(wish)}`;
      const rule = match(path, kind);
      if (rule === null && wish !== null)
        return `stays: a rule with ! takes it back from ${this.#ruleText(wish)}`;
      if (rule !== null)
        return `stays although ${this.#ruleText(rule)} names it: ${reasonOf(path, before, pruning)}`;
    }
    return 'stays: no rule names it';
  }

  /** Renders a rule with the place that it was written in. */
  #ruleText(rule: Rule): string {
    const [, name] = /^preset (.+)$/.exec(rule.origin) ?? [];
    const preset = name === undefined ? undefined : presets[name];
    if (preset !== undefined)
      this.#words.set(`preset ${preset.name}`, `${preset.title}; ${preset.note.replaceAll('`', '"')}`);
    return `${escapeText(rule.origin)} ${quoted(rule)}`;
  }
}

function quoted({ text }: Rule): string {
  return escapeText(JSON.stringify(text));
}

/** Says why an entry stays that a rule names. */
function reasonOf(path: Path, before: Filesystem, { layers }: Pruning): string {
  if (before.kind(path) === 'directory') return 'something in it stays';
  const layer = before.carrier(path)?.layer;
  const isSelected = layer === undefined || (layer >= layers.from && layer <= layers.to);
  return isSelected ? 'a layer that was not selected links to it' : `layer ${layer} was not selected`;
}

/** Returns the kind by which rules select what is at a path. */
function kindOf(fs: Filesystem, path: Path): RuledKind {
  const kind = fs.kind(path);
  return kind === 'directory' || kind === 'symlink' || kind === 'file' ? kind : 'other';
}

/** Compiles a glob; null for another text. */
function matcherOf(glob: string): ((path: Path) => Rule | null) | null {
  try {
    return createKeepMatcher([glob]);
  } catch (error) {
    if (error instanceof OcislimError && error.code === 'RULES_INVALID') return null;
    throw error;
  }
}
