/** Cases that write no image, or whose reports are the point. cases/all.ts collects them. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Case, type Inputs, lines, type Step, words } from '../case.ts';

/** Verifications: equal, different, and different as announced. */
export function verifyCases({ layout }: Inputs): Case[] {
  const app = `oci:${layout}:app`;
  const of = (name: string, ...commands: readonly string[]): Case =>
    lines('verify', `verify ${name}`, ...commands);
  const pruned = `prune ${app} oci:out:slim --rule opt/data/** --preset setuid --report removed.json`;
  return [
    of('an image and itself', `verify ${app} ${app}`, `verify ${app} ${app} --format json`),
    of('the same, packed otherwise', `verify ${app} oci:${layout}:plain --format json`),
    of('a squash', `squash ${app} oci:out:1 --all`, `verify ${app} oci:out:1`),
    of('a prune', pruned, `verify ${app} oci:out:slim`, `verify ${app} oci:out:slim --format json`),
    of('a prune as announced', pruned, `verify ${app} oci:out:slim --removed-by removed.json`),
    of('a prune with exceptions', pruned, `verify ${app} oci:out:slim --except opt/data/** --format json`),
    of(
      'linked duplicates',
      `squash ${app} oci:out:1 --all --dedupe-hardlink --report linked.json`,
      `verify ${app} oci:out:1`,
      `verify ${app} oci:out:1 --removed-by linked.json`,
    ),
    of('other images', `verify ${app} oci:${layout}:base`, `verify oci:${layout}:base ${app} --format json`),
    of(
      'indexes',
      `squash oci:${layout}:index oci:out:1 --last 2`,
      `verify oci:${layout}:index oci:out:1`,
      `verify oci:${layout}:index oci:out:1 --platform linux/arm64`,
    ),
    of('an index and an image', `verify oci:${layout}:index ${app}`),
    of('with a report that is none', `verify ${app} ${app} --removed-by ${layout}/oci-layout`),
    of(
      'a command before publishing',
      `squash ${app} oci:out:1 --last 2 --verify-with true`,
      `squash ${app} oci:out:2 --last 2 --verify-with false`,
    ),
  ];
}

/** Exports of root filesystems. */
export function exportCases({ layout, oldArchive }: Inputs): Case[] {
  const of = (name: string, ...commands: readonly string[]): Case =>
    lines('export', `export ${name}`, ...commands);
  return [
    of('to a file', `export oci:${layout}:app out.tar`),
    of('to standard output', `export oci:${layout}:plain -`),
    of('of one platform', `export oci:${layout}:index out.tar --platform linux/arm64`),
    of('of an index without a platform', `export oci:${layout}:index out.tar`),
    of(
      'of two platforms',
      `export oci:${layout}:index out.tar --platform linux/arm64 --platform linux/amd64`,
    ),
    of('of an old archive', `export docker-archive:${oldArchive} out.tar`),
    of('into a folder that is missing', `export oci:${layout}:app nothing/out.tar`),
  ];
}

/** Traces of every form, shown, merged and made into profiles. */
export function traceCases({ layout, folder, traces }: Inputs): Case[] {
  const of = (name: string, ...commands: readonly string[]): Case => ({
    name: `trace ${name}`,
    group: 'trace',
    steps: commands.map((command) => ({
      args: words(command),
      // A text for people, unless JSON is asked for.
      stdout: command.startsWith('trace show') && !command.endsWith('json') ? 'figures' : 'exact',
    })),
  });
  const files = readdirSync(traces, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(?:txt|json|csv)$/.test(name))
    .sort();
  return [
    ...files.map((name) => {
      const file = join(traces, name);
      return of(
        name,
        `trace show ${file}`,
        `trace show ${file} --format json`,
        `trace merge ${file} -o merged`,
        `trace seccomp ${file}`,
      );
    }),
    of(
      'merge of several',
      `trace merge ${['strace/f-y.txt', 'auditd.txt', 'stargz.json'].map((name) => join(traces, name)).join(' ')}`,
    ),
    of(
      'show with an image',
      `trace show ${folder}/used.txt --image oci:${layout}:app`,
      `trace show ${folder}/used.txt --image oci:${layout}:app --format json`,
    ),
    of('with a root', `trace merge ${folder}/other-used.txt --trace-root /srv/root`),
    of('that is none', `trace show ${folder}/broken.trace`, `trace merge ${folder}/nothing.txt`),
    {
      name: 'trace from standard input',
      group: 'trace',
      steps: [
        { args: ['trace', 'merge', '-'], stdin: join(folder, 'used.txt') },
        { args: ['trace', 'show'], stdin: join(folder, 'used.txt'), stdout: 'figures' },
      ],
    },
    of(
      'record of a program',
      'trace record -o app.trace -- /bin/true',
      'trace record -o app.trace -- /bin/false',
      'trace record -o app.trace -- /nonexistent',
    ),
  ];
}

/** Returns cases of what is printed and written about a result, by every command. */
export function reportCases({ layout }: Inputs): Case[] {
  const app = `oci:${layout}:app`;
  const removing = ['squash --last 3', 'prune --shadowed', 'recompress --compression zstd', 'slim', 'copy'];
  const forms: readonly Step[][] = removing.flatMap((line) => {
    const [command = '', ...options] = words(line);
    const run = (...more: readonly string[]): Step => ({
      args: [command, app, 'oci:out:new', ...options, ...more],
    });
    return [
      [run('--format', 'json', '--jobs', '1')],
      [run('--quiet')],
      [run('--verbose')],
      [{ ...run('--progress', 'json', '--jobs', '1'), events: true }],
      [run('--dry-run', '--format', 'json', '--report', 'report.md', '--digestfile', 'digest')],
      [run('--report', 'report.txt')],
      [run('--report', 'nothing/report.json')],
      [run('--platform', 'linux/arm64')],
    ];
  });
  return forms.map((steps) => ({
    name: `report: ${steps[0]?.args.join(' ').replaceAll(app, 'app')}`,
    group: 'reports',
    steps,
  }));
}
