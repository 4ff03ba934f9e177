/**
 * Writes the pages that are made from the sources: `npm run docs`. test/project/docs.test.ts fails where a page
 * differs from what this would write.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { errorCodes } from '../src/errors.ts';
import { fixedLimits, limitTable, type LimitName, showLimit } from '../src/limits.ts';
import { presets } from '../src/slim/presets.ts';
import { closureRules } from '../src/closure/rules/all.ts';
import { commandPages } from './docs/command-pages.ts';
import { explorePage } from './docs/explore-keys.ts';
import { fenced, page, sentence, table, text } from './docs/page.ts';
import { problemPages } from './problems.ts';
import { warningPages } from './warnings.ts';

/** Returns every page by its path. */
export function renderPages(): Readonly<Record<string, string>> {
  return {
    ...commandPages(),
    'docs/errors.md': errorPage(),
    'docs/presets.md': presetPage(),
    'docs/closure.md': closurePage(),
    'docs/limits.md': limitsPage(),
    'docs/explore.md': explorePage(),
  };
}

/** The exit statuses of all commands. The codes of errors have theirs in `errorCodes`. */
const allStatuses: readonly (readonly [string, string])[] = [
  ['0', 'done, or nothing to do'],
  ['1', 'failed; nothing was published'],
  [
    '2',
    'wrong usage: the command line, a reference, rules or a plan; also `ocislim` alone, which shows examples',
  ],
  ['3', 'a gate failed: `verify` found a difference, `--require-savings` was not met'],
  ['5', 'published, but something after that failed: a report, the debug image, standard output'],
  ['130, 143', 'interrupted (Ctrl-C, SIGTERM); nothing was published'],
];

function errorPage(): string {
  const rows = Object.entries(errorCodes).map(([code, { exit, doc }]) => [
    `\`${code}\``,
    String(exit),
    text(doc),
  ]);
  return page([
    '# Errors and warnings',
    'What each code means. For what to do about a symptom see [troubleshooting](troubleshooting.md).',
    '## Exit status',
    table(['Status', 'Meaning'], allStatuses),
    '## Errors',
    'An error is one line on stderr, `ocislim: what went wrong [CODE]`, and often a second one that says what to do. Nothing has been published then. The exit status follows from the code.',
    table(['Code', 'Exit status', 'Meaning'], rows),
    '## Warnings',
    'A warning does not stop the work; `--strict` makes it an error (`STRICT`). Reports list them.',
    table(
      ['Code', 'Meaning'],
      Object.entries(warningPages).map(([code, doc]) => [`\`${code}\``, text(doc)]),
    ),
  ]);
}

function limitsPage(): string {
  const rows = Object.entries(limitTable).map(([name, { doc }]) => {
    const value = limitTable[name as LimitName].value;
    return [`\`${name}\``, value === 0 ? '' : showLimit(name as LimitName, value), text(doc)];
  });
  return page([
    '# Limits',
    'An image may hold anything, and a few kilobytes can unpack to petabytes. So everything that is read has a limit. Whatever goes beyond ends in an error `LIMIT`, which says which limit it was, what was seen and in which layer; nothing is published then. Memory stays bounded on the way.',
    'Where you trust what you read, `--limit NAME=VALUE` sets another limit: `--limit layer-bytes=200GiB --limit time=2h`, or both in one with a comma between. Sizes are as for `--max-scratch` (`500MB`, `2GiB`), times `90s`, `10m`, `2h`; `none` takes the limit away.',
    table(['Limit', 'Default', 'What it bounds'], rows),
    'An honest image can hold a lot that packs well: a gigabyte of zeros packs 1,000 times smaller with gzip and 30,000 times with zstd. So what protects is the number of bytes; the ratio only stops early what is large and next to nothing.',
    '## Fixed limits',
    table(
      ['What', 'Limit', 'Why'],
      fixedLimits.map(([what, limit, why]) => [text(what), limit, text(why)]),
    ),
    'Blobs and manifests are read no further than their descriptor says, whatever comes.',
  ]);
}

function presetPage(): string {
  const all = Object.values(presets);
  return page([
    '# Presets',
    'Named sets of rules for `ocislim prune --preset NAME,…` and `ocislim slim`. Those marked *slim* are used by `ocislim slim` unasked: nothing at run time reads what they remove. A `--keep` glob wins over every preset, and a `!` rule of your own takes back from them.',
    table(
      ['Preset', 'What it is about', 'Risk', 'slim'],
      all.map(({ name, title, risk, safe }) => [
        `[\`${name}\`](#${name})`,
        text(title),
        risk,
        safe ? 'yes' : '',
      ]),
    ),
    ...all.flatMap(({ name, title, note: remark, effect, rules }) => [
      `## ${name}`,
      `${sentence(title)} ${remark}`,
      effect === 'clear-setuid'
        ? 'Clears the setuid and setgid bits of the files that match; removes nothing.'
        : '',
      fenced('text', rules.map(ruleLine).join('\n')),
    ]),
  ]);
}

/** The languages whose sources the rule `modules` reads, as docs/closure.md shows them. */
const moduleTable: readonly (readonly string[])[] = [
  [
    'Python',
    '`import`, `from … import`, `import_module`, `__import__`, `find_spec`',
    'beside the source and above it, `PYTHONPATH`, site-packages, dist-packages, the standard library of the version in use',
    '`Requires-Dist` and `requires.txt` of a distribution, without extras',
  ],
  [
    'Node',
    '`require`, `require.resolve`, `import`, `import()`, `export … from`',
    'node_modules above the source, `NODE_PATH`, /usr/share/nodejs (Debian)',
    'package.json: dependencies, also optional ones and peers',
  ],
  [
    'Ruby',
    '`require`, `require_relative`, `load`, `autoload`',
    'beside the source and in `lib`, `RUBYLIB`, gems, vendor_ruby, site_ruby, the standard library',
    'the gemspec of a gem, Gemfile.lock',
  ],
  [
    'Perl',
    '`use`, `require`, `use parent`, `use base`, `use_module`',
    'beside the source and in `lib`, `PERL5LIB`, the directories of perl, perl5 and perl-base',
    'cpanfile',
  ],
  [
    'PHP',
    '`use`, names of classes, `require`, `include`',
    'the packages of Composer, beside the source, /usr/share/php',
    'composer.json, composer.lock',
  ],
  [
    'R',
    '`library`, `require`, `requireNamespace`, `name::`',
    'library and site-library of R, `R_LIBS`',
    'DESCRIPTION',
  ],
  ['Lua', '`require`', 'beside the source, the directories of Lua', ''],
  [
    'Elixir, Erlang',
    '`alias`, `import`, `use`, `require`; calls of modules',
    'the applications in the image (ebin)',
    'mix.lock, mix.exs, .app',
  ],
  ['Java', 'the `Class-Path` in the manifest of a jar', 'as it says', ''],
];

function closurePage(): string {
  const rules = closureRules({ keep: [] }).map(({ name, describe }) => [`\`${name}\``, text(describe)]);
  const problems = Object.entries(problemPages).map(([kind, doc]) => [kind, text(doc)]);
  return page([
    '# What stays',
    '`ocislim prune --trace` removes the files that no trace saw, unless a file that it saw needs them. Rules find these out. Each rule knows one kind of reason, looks at the merged root filesystem of the image, and runs nothing. The rules are asked until none has anything to add. `--explain GLOB` (best with `-q --dry-run`) shows the reasons of paths, up to a traced use or the config, and for those that go the rule that takes them; it explains prunings by rules and presets, too. The JSON report has the reason of every path that stays.',
    '## How much',
    '`--granularity` says what stays in addition to what is needed. Each level includes the one before it:',
    table(
      ['Level', 'What stays'],
      [
        [
          '`file`',
          'the files that were used, and those that they need: the smallest result, for programs whose trace shows everything they do',
        ],
        [
          '`package` (default)',
          'the packages (of distributions, Python, Node, Ruby, PHP) of which a file was used, without their documentation; for files that belong to no package, the tree that they were copied with, such as `/app`; the modules that the application names, with their packages',
        ],
        ['`directory`', 'all files beside used files'],
      ],
    ),
    '## Modules that sources name',
    'A request that no trace saw may load a module inside of a function. So, unless the granularity is `file`, the rule `modules` reads the sources that were used and that no package of the system owns (dpkg, rpm, apk, conda). What their statements and calls for loading modules name anywhere, by a literal name, stays with its package. Of a source of a package that stays only for this, the statements outside of functions count: what loading it loads. Sources of up to 2 MiB are read. A computed name is not seen, nor one that any other call takes: `--keep` its module. Of what a used package or the application only declares, packages of more than 8 MiB go (compilers, browsers), unless a source names them.',
    table(
      ['Language', 'What names a module', 'Where it is looked for', 'What declares dependencies'],
      moduleTable,
    ),
    'A jar stays as a whole, whatever classes in it were used.',
    '## What wins',
    'A path stays for one of three reasons. It is *needed*: something breaks without it. It belongs to something *whole*. Or it is a *courtesy*: package databases, licences and `os-release`, by which scanners know an image, and empty directories.',
    [
      '- A needed path stays, whatever rules and presets say. So do the paths of `--keep` and the commands of `--keep-command`, with everything that they need.',
      '- A rule or preset that names a path which is whole or a courtesy removes it: `--preset pkg-db`.',
      '- A path without a reason goes, with the files that upper layers hide (`--trace` implies `--shadowed`).',
      '- Layers outside of the selection (`--base`, `--layers`) are not changed. The rules look at their files too.',
    ].join('\n'),
    'A trace is of one platform. For an image of several platforms, give `--platform`, or use a trace that names its own.',
    '## When it refuses',
    'If the result would not run, nothing is written (`UNSAFE`), and the message lists every reason. `--force` prunes anyway, and makes each reason a warning.',
    'The same holds for a pruning by rules and presets alone: it is refused where it takes a program or file that the config names (entrypoint, command, health check), an interpreter or library of these, or the file in which the user is looked up. Something that the image did not have before does not count. As long as no program, library or such file goes, ocislim looks into no file.',
    table(['Reason', 'When'], problems),
    '## The rules',
    'They are asked in this order: the first rule that names a path is its reason. The reason *ancestor* stands for directories on the way to a path, and *symlink-target* for where a symlink leads.',
    table(['Rule', 'What it keeps'], rules),
  ]);
}

function ruleLine(rule: (typeof presets)[string]['rules'][number]): string {
  if (typeof rule === 'string') return rule;
  const conditions = [
    ...(rule.only === undefined ? [] : [`only a ${rule.only}`]),
    ...(rule.needs === undefined ? [] : ['only where the source file is there']),
  ];
  return `${rule.glob}   (${conditions.join(', ')})`;
}

if (import.meta.main) {
  mkdirSync(new URL('../docs/commands/', import.meta.url), { recursive: true });
  for (const [file, content] of Object.entries(renderPages()))
    writeFileSync(new URL(`../${file}`, import.meta.url), content);
}
