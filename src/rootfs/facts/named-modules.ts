/**
 * The modules that a source names, wherever in it. The collector of facts shows it the texts of sources; the rule for modules looks for
 * what they name.
 */
import { ascii, asByteString, type ByteString, noBytes } from '../../bytes/bytes.ts';
import { MiB } from '../../units.ts';

/** Languages whose programs load modules by name. `beam` is Erlang and Elixir. */
export type SourceLanguage = 'python' | 'node' | 'ruby' | 'perl' | 'php' | 'r' | 'lua' | 'beam' | 'java';

/** A module that a source names. */
export interface NamedModule {
  /** The name as the language writes it. One that begins with `./` is relative to the directory of the source. */
  readonly name: ByteString;
  /** Whether loading the source loads the module: the statement is in no function. True where a language does not tell. */
  readonly isAtTop: boolean;
}

/** What a source names. */
export interface SourceModules {
  readonly language: SourceLanguage;
  readonly named: readonly NamedModule[];
}

/** The largest source that is read, in bytes. */
export const largestSource = 2 * MiB;

/** The most names that are kept of one source, and the longest one, in bytes. */
const maxNames = 1000;
const longest = 256;

/** What editors may write before UTF-8, as bytes. */
const byteOrderMark = '\xef\xbb\xbf';

/** The groups of a statement: what stands `before` it on its line, the `name`, and others that `names` reads. */
type Groups = Readonly<Record<string, ByteString>>;

/** A form of statement. Patterns take linear time: their repetitions cannot begin where another one began. */
interface Statement {
  readonly pattern: RegExp;
  /** Returns the names in a match. Default: the group `name`. */
  readonly names?: (groups: Groups) => Iterable<ByteString>;
}

/** How sources of a language name modules. */
interface Grammar {
  readonly language: SourceLanguage;
  readonly files: RegExp;
  /** What follows `#!` in its scripts. */
  readonly line: RegExp;
  readonly statements: readonly Statement[];
  /** How a function begins, on the first line of its block. Its other lines are indented further. Default: none. */
  readonly functions?: RegExp;
}

const grammars: readonly Grammar[] = [
  {
    language: 'python',
    files: /\.pyw?$/,
    line: /(?:^|[/ \t])(?:python|pypy)[\d.]*(?:[ \t]|$)/,
    // Only tools read what is for them.
    functions: /(?:async[ \t]+)?def\b|if[ \t]+(?:\w+\.)?TYPE_CHECKING\b/y,
    statements: [
      {
        pattern:
          /(?<before>^[ \t]*(?:\w[^\n#]{0,99}?:[ \t]+)?|;[ \t]*)(?:from[ \t]+(?<from>[.\w]{1,256})[ \t]+(?:\\\r?\n[ \t]*)?)?import\b[ \t]*(?<list>\((?:[^()#]+|#[^\n]*){0,2000}|[^\n#;(\\]*(?:\\\r?\n[^\n#;(\\]*){0,500})/gm,
        names: pythonNames,
      },
      {
        pattern:
          /(?<before>^|\W)(?:import_module|__import__|find_spec|run_module)\(\s*(?:name\s*=\s*)?["'](?<name>\.{0,32}\w[\w.]*)["'](?:\s*,\s*(?:package\s*=\s*)?["'](?<anchor>\w[\w.]*)["'])?/gm,
        names: ({ name = noBytes, anchor }) => [
          anchor !== undefined && /^\.\w/.test(name) ? ascii`${anchor}${name}` : fromSource(name),
        ],
      },
    ],
  },
  {
    // Packages in node_modules declare what they load.
    language: 'node',
    files: /^(?!(?:.*\/)?node_modules\/|usr\/(?:share|lib)\/nodejs\/).*\.[cm]?[jt]sx?$/s,
    line: /(?:^|[/ \t])(?:node|nodejs|bun|tsx)(?:[ \t]|$)/,
    statements: [
      {
        pattern:
          /\b(?:require(?:\.resolve)?|import(?:\.meta\.resolve)?|from|createRequire\([^()\n]{0,99}\)|new[ \t]+Worker)\s*(?:\?\.)?(?:\(\s*)?(?:\/\*[^*]*\*\/\s*)?["'`](?<name>[^"'`\s\\{]+)["'`]/g,
      },
    ],
  },
  {
    language: 'ruby',
    files: /\.(?:rb|ru|rake)$|(?:^|\/)(?:Rakefile|Gemfile)$/,
    line: /(?:^|[/ \t])ruby[\d.]*(?:[ \t]|$)/,
    functions: /def\b/y,
    statements: [
      {
        pattern:
          /(?<before>^[ \t]*|[ \t;({]|Kernel\.)(?<verb>require(?:_relative)?|load|autoload)[ \t(]+(?::\w+,[ \t]*)?["'](?<name>[\w./+-]+)["']/gm,
        names: ({ verb, name = noBytes }) => [verb === 'require_relative' ? ascii`./${name}` : name],
      },
    ],
  },
  {
    language: 'perl',
    files: /\.(?:p[lm]|psgi)$/,
    line: /(?:^|[/ \t])perl[\d.]*(?:[ \t]|$)/,
    functions: /(?:my[ \t]+)?sub\b/y,
    statements: [
      {
        pattern:
          /(?<before>^[ \t]*|[;{(&][ \t]*|\beval[ \t(]*(?:qq?[ \t]*)?[^\s\w(]\s*)(?:use|require)[ \t]+(?<name>[A-Za-z_]\w*(?:::\w+)*)/gm,
      },
      {
        pattern:
          /(?<before>^[ \t]*|[;{(&][ \t]*|\beval[ \t(]*(?:qq?[ \t]*)?[^\s\w(]\s*)(?:require|do)[ \t]+["'](?<name>[^"'\n$@]+)["']/gm,
      },
      {
        pattern: /(?<before>^[ \t]*)use[ \t]+(?:parent|base|if|aliased|autouse)\b(?<list>[^;]{0,500});/gm,
        names: ({ list = noBytes }) => allIn(list, /[A-Za-z_]\w*(?:::\w+)*/g),
      },
      {
        pattern:
          /(?<before>^|\W)(?:use_module|use_package_optimistically|require_module|load_class|load_module)[ \t(]*["'](?<name>[\w:]+)["']/gm,
      },
    ],
  },
  {
    language: 'php',
    files: /\.(?:php|phtml|inc)$/,
    line: /(?:^|[/ \t])php[\d.]*(?:[ \t]|$)/,
    statements: [
      {
        pattern:
          /^[ \t]*use[ \t]+(?:function[ \t]+|const[ \t]+)?\\?(?<name>[A-Za-z_]\w*(?:\\\w+)+)|\bnew[ \t]+(?<made>[A-Za-z_]\w*(?:\\\w+)+)|\\(?<full>[A-Z]\w*(?:\\\w+)+)/gm,
        names: ({ name, made, full = noBytes }) => [name ?? made ?? full],
      },
      {
        pattern:
          /\b(?:require|include)(?:_once)?\b[ \t(]*(?<here>(?:__DIR__|dirname\(__FILE__\))[ \t]*\.[ \t]*)?["'](?<name>[^"'\n$]+)["']/g,
        names: ({ here, name = noBytes }) => [
          here === undefined ? name : ascii`./${name.replace(/^\//, '')}`,
        ],
      },
    ],
  },
  {
    language: 'r',
    files: /\.[Rr]$/,
    line: /(?:^|[/ \t])(?:Rscript|r)(?:[ \t]|$)/,
    statements: [
      {
        pattern:
          /(?<![\w.])(?:library|require|requireNamespace|loadNamespace)\(\s*(?:package\s*=\s*)?["']?(?<name>[A-Za-z][\w.]*)/g,
      },
      { pattern: /(?<![\w.:])(?<name>[A-Za-z][\w.]*):::?[A-Za-z.]/g },
    ],
  },
  {
    language: 'lua',
    files: /\.lua$/,
    line: /(?:^|[/ \t])(?:lua|luajit|resty)[\d.]*(?:[ \t]|$)/,
    statements: [{ pattern: /\brequire[ \t]*(?:[(,][ \t]*)?["'](?<name>\w[\w./-]*)["']/g }],
  },
  {
    language: 'beam',
    files: /\.(?:exs?|erl|escript)$/,
    line: /(?:^|[/ \t])(?:elixir|escript)(?:[ \t]|$)/,
    statements: [
      { pattern: /^[ \t]*(?:use|import|alias|require)[ \t]+(?<name>[A-Z][\w.]*)/gm },
      // Modules of Erlang in Elixir, and the dependencies of a project: `:crypto.hash`, `{:jason, "~> 1.4"}`.
      {
        pattern: /:(?<name>[a-z]\w*)\.[a-z]|\{:(?<dependency>[a-z]\w*),/g,
        names: ({ name, dependency = noBytes }) => [name ?? dependency],
      },
      {
        pattern: /applications:[ \t]*\[(?<list>[^[\]]*)\]/g,
        names: ({ list = noBytes }) => allIn(list, /[a-z]\w*/g),
      },
      { pattern: /(?<![\w:@'])(?<name>[a-z]\w*):[a-z]\w*\(/g },
      { pattern: /(?:-include_lib\([ \t]*"|ensure(?:_all)?_started\([ \t]*'?)(?<name>[a-z]\w*)/g },
    ],
  },
];

/** Returns the language of a source by its path; null for any other file. */
export function languageOfPath(path: ByteString): SourceLanguage | null {
  return grammars.find(({ files }) => files.test(path))?.language ?? null;
}

/** Returns the language of a script by what follows `#!`; null for any other script. */
export function languageOfLine(line: ByteString): SourceLanguage | null {
  return grammars.find((grammar) => grammar.line.test(line))?.language ?? null;
}

/** Returns the modules that a source names, each once: 1000 at most, and none with a name of more than 256 bytes. */
export function modulesOfSource(source: ByteString, language: SourceLanguage): readonly NamedModule[] {
  const found = new Map<ByteString, boolean>();
  const { statements = [], functions } = grammars.find((grammar) => grammar.language === language) ?? {};
  let blocks: Blocks | null = null;
  const text = source.startsWith(byteOrderMark) ? source.slice(byteOrderMark.length) : source;
  for (const { pattern, names } of statements)
    for (const { groups = {}, index } of text.matchAll(pattern)) {
      const isIndented = functions !== undefined && (groups['before'] ?? '') !== '';
      const isAtTop = !isIndented || !isInside(index, (blocks ??= blocksOf(text, functions)));
      for (const name of names?.(groups) ?? [groups['name'] ?? noBytes]) {
        if (found.size >= maxNames) return listOf(found);
        if (name !== '' && name.length <= longest) found.set(name, isAtTop || found.get(name) === true);
      }
    }
  return listOf(found);
}

/** The blocks of functions: the offsets of their first characters, ascending, and of those behind their ends. */
interface Blocks {
  readonly starts: readonly number[];
  readonly ends: readonly number[];
}

/** Returns the outermost blocks of functions: from a line that begins one up to the next line that is not indented further. */
function blocksOf(text: ByteString, functions: RegExp): Blocks {
  const starts: number[] = [];
  const ends: number[] = [];
  let open: number | null = null;
  for (let start = 0, end = 0; start < text.length; start = end + 1) {
    end = text.indexOf('\n', start);
    if (end < 0) end = text.length;
    let at = start;
    while (text[at] === ' ' || text[at] === '\t') at++;
    if (at >= end || text[at] === '#') continue;
    if (open !== null && at - start <= open) {
      ends.push(start);
      open = null;
    }
    functions.lastIndex = at;
    if (open !== null || !functions.test(text)) continue;
    starts.push(start);
    open = at - start;
  }
  if (open !== null) ends.push(text.length);
  return { starts, ends };
}

/** Returns whether an offset lies in a block. */
function isInside(offset: number, { starts, ends }: Blocks): boolean {
  let low = 0;
  let high = starts.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((starts[middle] as number) <= offset) low = middle + 1;
    else high = middle;
  }
  return low > 0 && offset < (ends[low - 1] as number);
}

function listOf(found: ReadonlyMap<ByteString, boolean>): readonly NamedModule[] {
  return [...found].map(([name, isAtTop]) => ({ name, isAtTop }));
}

function allIn(list: ByteString, pattern: RegExp): readonly ByteString[] {
  return [...list.matchAll(pattern)].map(([name = noBytes]) => name);
}

/** Returns what `import LIST` or `from FROM import LIST` names. What is imported from a package may be a module in it. */
function* pythonNames({ from, list = noBytes }: Groups): Generator<ByteString> {
  if (from === undefined) {
    for (const item of list.split(',')) yield item.match(/^[\s\\]*([\w.]+)/)?.[1] ?? noBytes;
    return;
  }
  const start = fromSource(from);
  const dot = start.endsWith('/') ? noBytes : ascii`.`;
  const items = list.replaceAll(/#[^\n]*/g, noBytes).split(/[(,\n]/);
  const parts = items.flatMap((item) => item.match(/^\s*(\w+)/)?.[1] ?? []);
  if (parts.length === 0) yield start;
  for (const part of parts) yield ascii`${start}${dot}${part}`;
}

/** Returns a name of Python, with the way from its source where it begins with dots. Each dot behind the first leads one directory up. */
function fromSource(name: ByteString): ByteString {
  const [, dots = noBytes, rest = noBytes] = name.match(/^(\.*)(.*)$/) ?? [];
  return dots === '' ? rest : ascii`${asByteString(`./${'../'.repeat(dots.length - 1)}`)}${rest}`;
}
