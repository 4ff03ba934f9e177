/**
 * Cases that remove files and bring them back, for all.ts. Each source holds something that the options match.
 */
import { join } from 'node:path';
import { type Case, type Inputs, lines, rewriting, words } from '../case.ts';

/** Prunes: rules, presets, what is hidden, traces, and what is told of them. */
export function pruneCases({ layout, folder, traces }: Inputs): Case[] {
  const of = (image: string, options: string): Case =>
    rewriting('prune', 'prune', `oci:${layout}:${image}`, words(options), image === 'app' ? '' : image);
  const used = `--trace ${join(folder, 'used.txt')}`;
  return [
    ...removals.map((options) => of('app', options)),
    of('app', `--rules ${folder}/rules.txt --keep-file ${folder}/keep.txt`),
    of('app', `--shadowed --base oci:${layout}:base`),
    ...['docker', 'index', 'plain'].map((image) => of(image, '--shadowed --preset docs,logs,setuid')),
    ...tracing.map((options) => of('traced', `--trace ${folder}/traced.txt ${options}`)),
    of('app', used),
    of('app', `${used} --granularity file --force`),
    of('app', `${used} --force --explain usr/bin/tool --explain opt/data/nanoseconds --dry-run`),
    of('app', `${used} --trace ${folder}/other-used.txt --trace-root /srv/root --force`),
    of('app', `--trace ${join(traces, 'strace/f-y.txt')} --force`),
    of('app', `--trace ${folder}/broken.trace`),
    of('index', `${used} --force`),
    {
      ...lines('prune', 'prune --preset help', 'prune --preset help'),
      steps: [{ args: ['prune', '--preset', 'help'], stdout: 'options' }],
    },
  ];
}

const presets = words(
  `apt-lists apt-cache apt-misc apk-cache yum-dnf-cache zypper-cache pip-cache npm-yarn-cache dnf-repos pnpm-store
   go-cache go-modules cargo-cache docs locales i18n-src logs tmp pyc py-tests static-libs headers-pc vcs pkg-db
   setuid shells package-managers`.replace(/\n/g, ' '),
);

/** All presets, for one option. */
export const everyPreset = presets.join(',');

const removals = [
  '--shadowed',
  '--shadowed --layers 2..5',
  '--shadowed --empty-layers drop',
  '--shadowed --squash --layers 4..9',
  '--preset apt-lists,apt-cache,docs,logs',
  '--preset apt-lists --keep var/lib/apt/lists/lock',
  '--preset setuid',
  `--preset ${everyPreset}`,
  `--shadowed --preset ${everyPreset} --compression zstd`,
  '--rule opt/data/** --rule usr/bin/perl5 --keep opt/data/p*/**',
  '--rule opt/data/** --rule !opt/data/nanoseconds',
  '--rule opt/app/settings --layers 4',
  '--rule **/*.gz --rule dev --empty-layers drop',
  '--rule nothing/that/exists',
  '--rule srv --order similar --dedupe-hardlink',
  '--rule usr/bin/tool --shadowed --label a=b --annotation c=d --tune small',
  '--rule opt/app/bin/run --explain opt/app/bin/run',
  '--preset docs --dry-run',
  '--preset setuid --strict',
  '--shadowed --jobs 1 --max-scratch 0',
];

const tracing = [
  '',
  '--granularity file',
  '--granularity package',
  '--granularity directory',
  '--granularity file --shadowed --preset docs',
  '--granularity file --keep-command /usr/bin/other',
  '--granularity file --keep app/data/**',
  '--granularity file --rule lib/x86_64-linux-gnu/libc.so.6',
  '--granularity file --rule lib/x86_64-linux-gnu/libc.so.6 --force',
  '--explain app/tool --explain usr/bin/other --explain app/hard --dry-run',
  '--granularity file --squash --layers 1..3 --compression zstd',
  '--granularity file --layers 2..3',
];

/** Ways back: all of it, some of it, from elsewhere, and debug images. */
export function restoreCases({ layout }: Inputs): Case[] {
  const app = `oci:${layout}:app`;
  const pruned = (options: string) => `prune ${app} oci:out:slim ${options}`;
  const of = (name: string, options: string, ...commands: readonly string[]): Case =>
    lines('restore', `restore ${name}`, pruned(options), ...commands);
  const all = '--preset docs,logs,apt-lists --rule opt/data/** --shadowed';
  return [
    of(
      'everything',
      all,
      'restore oci:out:slim oci:out:again --report report.json',
      `verify ${app} oci:out:again`,
    ),
    of(
      'some paths',
      all,
      'restore oci:out:slim oci:out:more --path opt/data/s* --path usr/share/** --format json',
    ),
    of('nothing that matches', all, 'restore oci:out:slim oci:out:more --path nothing/** --format json'),
    of('in a dry run', all, 'restore oci:out:slim --dry-run --format json'),
    lines(
      'restore',
      'restore from elsewhere',
      `copy ${app} oci:other:app`,
      pruned(all),
      'restore oci:out:slim oci:out:again --original oci:other:app',
    ),
    of(
      'from an image that is not the original',
      all,
      `restore oci:out:slim oci:out:again --original oci:${layout}:base`,
    ),
    of(
      'setuid bits',
      '--preset setuid',
      'restore oci:out:slim oci:out:again --format json',
      `verify ${app} oci:out:again`,
    ),
    of(
      'twice',
      all,
      'restore oci:out:slim oci:out:more --path etc/**',
      'restore oci:out:more oci:out:again --report report.md',
    ),
    of('of a squash', `${all} --squash --layers 4..9`, 'restore oci:out:slim oci:out:again --format json'),
    of(
      'a debug image',
      `${all} --debug-tag debug --report report.json`,
      `verify ${app} oci:out:debug --format json`,
    ),
    lines('restore', 'restore an image that was never pruned', `restore ${app} oci:out:again`),
    lines(
      'restore',
      'restore both platforms',
      `prune oci:${layout}:index oci:out:slim ${all}`,
      'restore oci:out:slim oci:out:again --format json',
    ),
  ];
}
