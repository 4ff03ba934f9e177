import { describe, expect, test } from 'vitest';
import { commands } from '../../src/cli/commands/all.ts';
import { otherCommands } from '../../src/cli/mistakes/other-commands.ts';
import { otherOptions } from '../../src/cli/mistakes/other-options.ts';
import { parseCommandLine } from '../../src/cli/parser.ts';
import { parseCommand } from '../../src/settings/command-words.ts';
import { listOptions } from '../../src/settings/option.ts';
import { callCli } from '../support/cli.ts';
import { buildFlags } from './slimtoolkit-flags.ts';

/** Returns the two lines that a wrong command line gets: the mistake and the advice. */
async function toldOf(line: string): Promise<string> {
  const { status, stdout, stderr } = await callCli(parseCommand(line));
  expect({ status, stdout }, line).toEqual({ status: 2, stdout: '' });
  expect(stderr, line).toMatch(/^ocislim: .+ \[USAGE\]\n(?: {2}.+\n)?$/);
  return stderr;
}

describe('a mistyped word', () => {
  test.each([
    ['squsah a b', 'unknown command: squsah', 'Did you mean squash?'],
    ['Squash a b', 'unknown command: Squash', 'Did you mean squash?'],
    ['help sqash', 'unknown command: sqash', 'Did you mean squash?'],
    ['vesrion', 'unknown command: vesrion', 'Did you mean version?'],
    ['squash a b --lsat 3', 'unknown option: --lsat', 'Did you mean --last?'],
    ['squash a b --dryRun', 'unknown option: --dryRun', 'Write --dry-run.'],
    ['squash --hlep', 'unknown option: --hlep', 'Did you mean --help?'],
    ['squash a b --dry_run', 'unknown option: --dry_run', 'Write --dry-run.'],
    ['squash a b -dry-run', 'unknown option: -dry-run', 'Write it with two dashes: --dry-run.'],
    ['squash a b -platform=linux/amd64', 'unknown option: -platform', '--platform.'],
    ['squash a b --platforms x', 'unknown option: --platforms', 'Did you mean --platform?'],
    ['squash a b --digest-file x', 'unknown option: --digest-file', '--digestfile.'],
    ['copy a b --no-tls-verfy', 'unknown option: --no-tls-verfy', 'Did you mean --tls-verify?'],
    ['trace rekord', 'unknown action: trace rekord', 'Did you mean "ocislim trace record"?'],
    ['registry start', 'unknown action: registry start', 'It takes serve.'],
    ['completion fsih', 'unknown shell: completion fsih', 'Did you mean "ocislim completion fish"?'],
    ['record -- app', 'unknown command: record', 'Write "ocislim trace record".'],
    ['dry-run a b', 'unknown command: dry-run', '--dry-run is an option'],
    ['recompress a b --compression gz', '--compression takes gzip, zstd, none, not "gz"', 'Write gzip.'],
    ['recompress a b --compression ZSTD', 'not "ZSTD"', 'Did you mean zstd?'],
    ['recompress a b --compression zstd:chunked', 'not "zstd:chunked"', 'not supported yet'],
    ['recompress a b --compression estargz', 'not "estargz"', 'not supported yet'],
    ['recompress a b --compression xz', 'not "xz"', 'zstd packs best'],
    ['recompress a b --compression constructor', 'not "constructor"', ''],
    ['squash a b --all --progress quiet', 'not "quiet"', 'Write none.'],
    ['squash a b --all --format yaml', 'not "yaml"', '--report FILE.md'],
    ['prune a b --preset docs --granularity files', 'not "files"', 'Did you mean file?'],
  ])('is told of with what was meant: %s', async (line, mistake, advice) => {
    const told = await toldOf(line);
    expect(told.split('\n')[0]).toContain(mistake);
    expect(told).toContain(advice);
  });

  test.each([
    ['frobnicate', 'See "ocislim help" for all commands.'],
    ['""', 'unknown command: "" [USAGE]'],
    ['"two words"', 'unknown command: "two words" [USAGE]'],
    ['squash a b --frobnicate', 'See "ocislim help squash".'],
    ['squash a b -x', 'See "ocislim help squash".'],
    ['--frobnicate', 'See "ocislim help".'],
    ['-q', 'See "ocislim help".'],
  ])('without anything near it gets the way to the help: %s', async (line, advice) => {
    expect(await toldOf(line)).toContain(advice);
  });
});

describe('an argument', () => {
  test.each([
    ['squash', 'missing argument: SRC [USAGE]\n  Usage: ocislim squash SRC [DST] [options]'],
    ['prune --shadowed', 'missing argument: SRC [USAGE]\n  Usage: ocislim prune SRC [DST] [options]'],
    ['verify', 'missing arguments: A and B [USAGE]'],
    ['verify a', 'missing argument: B [USAGE]'],
    ['export a', 'missing argument: FILE [USAGE]'],
    [
      'trace',
      'missing argument: ACTION [USAGE]\n  Usage: ocislim trace ACTION [FILES…] [options] [-- COMMAND…] (ACTION: record, merge, show, seccomp, apparmor)',
    ],
    ['completion', 'missing argument: SHELL [USAGE]'],
    ['squash a b c', 'an argument too many: c [USAGE]'],
    ['squash a b -- c d', 'arguments too many: c d [USAGE]'],
    ['version', null],
  ])('that is missing or too many is named: %s', async (line, told) => {
    if (told === null) expect((await callCli([line])).status).toBe(0);
    else expect(await toldOf(line)).toContain(told);
  });

  test('that is an image without a command gets one', async () => {
    expect(await toldOf('localhost:5000/app:1')).toContain('ocislim slim localhost:5000/app:1 DST');
  });
});

describe('a word of another tool', () => {
  test.each([
    ['image x', 'ocislim inspect IMAGE'],
    ['layers x', 'ocislim history IMAGE'],
    ['digest x', 'ocislim inspect IMAGE --format {{.Digest}}'],
    ['tags x', 'skopeo list-tags'],
    ['list x', 'ocislim ls IMAGE PATH'],
    ['view x y', 'ocislim cat IMAGE PATH'],
    ['cp x y', 'ocislim extract IMAGE PATH DIR'],
    ['unpack x y', 'ocislim extract IMAGE / DIR'],
    ['login x', 'Log in with docker'],
    ['dive x', 'ocislim analyze IMAGE'],
    ['lint x', 'ocislim check IMAGE'],
    ['slim a b --ci-config x', 'ocislim check IMAGE --config FILE'],
    ['analyze a --lowestEfficiency 0.9', 'ocislim check IMAGE --lowest-efficiency 0.9'],
    ['check a --lowestEfficiency 0.9', '--lowest-efficiency'],
    ['check a --ci', 'Leave it out'],
    ['analyze a --json', 'Write --format json.'],
    ['analyse x', 'ocislim analyze IMAGE'],
    ['push x y', 'ocislim copy SRC'],
    ['flatten x', 'ocislim squash SRC DST --all'],
    ['convert x y', 'ocislim recompress SRC DST --compression zstd'],
    ['build .', 'ocislim builds no image'],
    ['build a --from b', 'The base is the first argument'],
    ['build -f Dockerfile .', 'ocislim runs no Dockerfile'],
    ['load -i x', 'docker load'],
    ['delete x', 'skopeo delete'],
    ['change-base x', 'ocislim rebase SRC DST --new-base REF'],
    ['slim a b --new-base x', 'ocislim rebase SRC DST --new-base REF'],
    ['sign x', '--sign-key FILE'],
    ['slim a b --sign-by x', 'Write --sign-key FILE.'],
    ['inspect a --sign', 'cosign sign'],
    ['slim a b --attest', 'Write --provenance=attach'],
    ['manifest x', 'ocislim inspect IMAGE --raw'],
    ['recompress a b --zstd', 'Write --compression zstd.'],
    ['restore a b --zstd', 'ocislim recompress SRC DST --compression zstd'],
    ['prune a b --exclude x', 'Write --rule GLOB.'],
    ['prune a b --include x', 'Write --keep GLOB.'],
    ['squash a b --exclude x', 'ocislim prune SRC DST --rule GLOB'],
    ['squash a b --json', 'Write --format json.'],
    ['squash a b -n', 'Write --dry-run.'],
    ['squash a -o b', 'second argument'],
    ['-o b squash a', 'second argument'],
    ['extract a / -o b', 'third argument: ocislim extract IMAGE PATH DIR'],
    ['extract a / --output b', 'third argument: ocislim extract IMAGE PATH DIR'],
    ['extract a / --dest b', 'third argument: ocislim extract IMAGE PATH DIR'],
    ['squash a b -l 2', 'Write --last N'],
    ['squash a b -f 2', 'Write --from-layer N'],
    ['copy a b -l x=y', 'Write --label K=V.'],
    ['analyze a --env A=b', 'ocislim config SRC DST --env K=V'],
    ['squash a b --set-env A=b', 'Write --env K=V.'],
    ['copy a b --all', 'all platforms'],
    ['copy a b --src-tls-verify=false', '--no-tls-verify'],
    ['copy a b --username me', '--creds USER:PASSWORD'],
    ['squash a b --threads 4', 'Write --jobs N.'],
    ['prune a b --http-probe /', 'ocislim slim SRC DST --record'],
    ['squash a b --preset docs', '--preset is an option of prune and slim.'],
    ['verify a b --dest-compress-format zstd', 'ocislim recompress'],
    ['slim a b --target x', 'The image is the first argument'],
    ['slim a b --include-path /srv', 'Write --keep GLOB.'],
    ['slim a b --include-exe curl', 'Write --keep-command COMMAND'],
    ['slim a b --include-shell', 'Write --keep-preset shell.'],
    ['slim a b --include-cert-all', 'Write --keep-preset certs'],
    ['slim a b --http-probe-cmd /', 'Write --http-probe "'],
    ['slim a b --http-probe-apispec /openapi.json', 'Write --openapi FILE'],
    ['slim a b --exec ls', 'Write --exec-probe COMMAND.'],
    ['slim a b --env-file x', 'Write --run-env-file FILE'],
    ['slim a b --mount /a:/b', 'Write --run-mount SRC:DST[:ro]'],
    ['slim a b --new-entrypoint /x', 'Write --entrypoint COMMAND.'],
    ['slim a b --compose-file x.yaml', '--run-network host'],
    ['slim a b --copy-meta-artifacts out', 'Write --creport FILE'],
    ['slim a b --sensor-ipc-mode proxy', 'Leave it out'],
    ['slim a b --dockerfile x', 'ocislim builds no image'],
    ['trace record --http-probe-cmd /', 'Write --http-probe "'],
    ['prune a b --continue-after enter', 'ocislim slim SRC DST --record'],
    ['squash a b --include-shell', 'It is an option of prune and slim'],
    ['mint build x', 'ocislim slim SRC DST --record'],
    ['profile x', 'ocislim trace record --image IMAGE'],
    ['xray x', 'ocislim analyze IMAGE'],
    ['vulnerability x', 'ocislim sbom IMAGE'],
  ])('gets ours, or the tool that does it: %s', async (line, advice) => {
    expect(await toldOf(line)).toContain(advice);
  });

  const ours = new Set(
    commands.flatMap(({ options }) =>
      listOptions(options).flatMap(({ name, type }) => (type === 'boolean' ? [name, `no-${name}`] : [name])),
    ),
  );
  const advice = [
    ...new Set([
      ...otherCommands.values(),
      ...[...otherOptions.values()].flat().flatMap(({ say, otherwise = '' }) => [say, otherwise]),
    ]),
  ].filter((text) => text !== '');

  test.each(advice)('is never told to use what there is not: %s', async (text) => {
    for (const [, quoted = ''] of text.matchAll(/"([^"]+)"/g))
      if (quoted.startsWith('ocislim ') && !quoted.startsWith('ocislim help'))
        await expect(parseCommandLine(parseCommand(quoted).slice(1), {}), quoted).resolves.toBeTypeOf(
          'function',
        );
    const own = text.replaceAll(/"[^"]*"/g, '');
    for (const [, name = ''] of own.matchAll(/(?<![\w-])--([a-z-]+)/g)) expect(ours).toContain(name);
    expect(text).toMatch(/^["A-Zo].*\.$/);
  });

  test.each(buildFlags)('of SlimToolkit has an answer: --%s', (flag) => {
    const slim = commands.find(({ name }) => name === 'slim');
    const own = listOptions(slim?.options ?? {}).map(({ name }) => name);
    expect(own.includes(flag) || otherOptions.has(flag)).toBe(true);
  });

  test('stands in the table once, with an option that some command has', () => {
    const words = [...otherCommands.keys()];
    expect(words.filter((word) => commands.some(({ name }) => name === word))).toEqual([]);
    const named = [...otherOptions.values()].flat().flatMap(({ option }) => option ?? []);
    expect(named.filter((name) => !ours.has(name))).toEqual([]);
  });
});
