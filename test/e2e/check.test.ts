/**
 * Holds what `check` and `analyze` say against programs of others: dive judges the same images by the same files, ncdu reads the export,
 * and SARIF and the files of gates are checked by their published schemas.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { ocislim } from '../support/e2e/cli.ts';
import { removeFolder, run, runToEnd, workFolder } from '../support/e2e/programs.ts';
import { buildImage, writeLayout } from '../support/image-builder.ts';
import { tar } from '../support/model/shorthand.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
/** The schema of OASIS, as a package has it. Its errata take a bracket out of an expression. */
const published = import.meta.resolve('@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json');
const sarifText = readFileSync(fileURLToPath(published), 'utf8').replaceAll('{2}]?$"', '{2}?$"');

let work: string;
/** Docker archives: a real image, and one with the quirks of dive. */
let archives: Readonly<Record<string, string>>;

/** A folder that is deleted whole, a file that is deleted, an opaque marker, and a whiteout of what is not there. */
const quirks = buildImage({
  layers: [
    tar('big/', `big/file=${'x'.repeat(900)}`, `small=${'y'.repeat(100)}`, 'other/', 'other/a=1'),
    tar('.wh.big', 'other/.wh..wh..opq', 'other/b=2', `small=${'z'.repeat(100)}`),
    tar('a-file=1', 'm/.wh.dangling', 'z=2', '.wh.small'),
  ],
});

beforeAll(async () => {
  work = workFolder('check');
  await writeLayout(join(work, 'layout'), { v1: quirks });
  archives = { nginx: join(work, 'nginx.tar'), quirks: join(work, 'quirks.tar') };
  for (const [name, source] of [
    ['nginx', `oci:${inject('images')}/nginx:v1`],
    ['quirks', `oci:${work}/layout:v1`],
  ] as const)
    await run('skopeo', ['copy', '--quiet', source, `docker-archive:${archives[name]}:${name}:1`]);
});
afterAll(() => removeFolder(work));

function archive(name: string): string {
  return archives[name] ?? '';
}

/** Returns the document of `analyze`. */
async function analysis(name: string) {
  const { stdout } = await ocislim([
    'analyze',
    `docker-archive:${archive(name)}`,
    '--quick',
    '--format',
    'json',
  ]);
  const { dive } = JSON.parse(stdout) as {
    dive: { efficiency: number; wastedBytes: number; wastedUserPercent: number };
  };
  return dive;
}

describe.each(['quirks', 'nginx'])('of the image %s', (name) => {
  it('the verdict is that of dive --ci, by several .dive-ci files', async () => {
    const { efficiency, wastedBytes, wastedUserPercent } = await analysis(name);
    const rules = (...lines: readonly string[]) => ['rules:', ...lines.map((line) => `  ${line}`)].join('\n');
    const off = 'highestUserWastedPercent: disabled';
    const files = [
      '',
      rules(`lowestEfficiency: ${efficiency}`, off),
      rules(`lowestEfficiency: ${efficiency + 1e-9}`, off),
      rules('lowestEfficiency: disabled', `highestWastedBytes: ${wastedBytes}`, off),
      rules('lowestEfficiency: disabled', `highestWastedBytes: ${wastedBytes - 1}B`, off),
      rules(
        'lowestEfficiency: "disabled"',
        `highestUserWastedPercent: ${Math.min(wastedUserPercent + 1e-6, 1)}`,
      ),
      rules(
        'lowestEfficiency: disabled',
        `highestUserWastedPercent: ${Math.min(wastedUserPercent - 1e-6, 1)}`,
      ),
      rules('lowest-efficiency: 0.01', off),
    ];
    const verdicts: (readonly [string, unknown, unknown])[] = [];
    for (const [i, text] of (name === 'nginx' ? files.slice(1, 3) : files).entries()) {
      const file = join(work, '.dive-ci');
      writeFileSync(file, text);
      const source = ['--source', 'docker-archive', archive(name)];
      const dive = await runToEnd('dive', ['--ci', '--ci-config', file, ...source]);
      const own = await ocislim(['check', `docker-archive:${archive(name)}`, '--config', file]);
      verdicts.push([`${i}: ${text}`, dive.status === 0, own.status === 0]);
      expect([0, 3], own.stderr).toContain(own.status);
    }
    expect(verdicts.map(([text, , own]) => [text, own])).toEqual(
      verdicts.map(([text, dive]) => [text, dive]),
    );
    expect(new Set(verdicts.map(([, dive]) => dive))).toEqual(new Set([true, false]));
  });

  it('the export for programs of dive is that of dive --json', async () => {
    const [theirs, ours] = [join(work, 'dive.json'), join(work, 'ours.json')];
    await run('dive', ['--source', 'docker-archive', archive(name), '--json', theirs]);
    const line = ['analyze', `docker-archive:${archive(name)}`, '--quick', '--format', 'dive-json'];
    expect((await ocislim([...line, '-o', ours])).status).toBe(0);
    const [expected, found] = [theirs, ours].map(exportOf);
    expect(found).toEqual(expected);
  });

  it.each(['', '--all-layers'])(
    'ncdu reads the export and gives back its names and bytes %s',
    async (scope) => {
      const [ours, theirs] = [join(work, 'ours.ncdu'), join(work, 'theirs.ncdu')];
      const line = ['analyze', `docker-archive:${archive(name)}`, '--quick', '--format', 'ncdu', '-o', ours];
      expect((await ocislim(scope === '' ? line : [...line, scope])).status).toBe(0);
      await run('ncdu', ['-f', ours, '-o', theirs]);
      const [expected, found] = [ours, theirs].map((file) =>
        listOf(JSON.parse(readFileSync(file, 'utf8')) as unknown[]),
      );
      expect(found).toEqual(expected);
      expect(found?.length).toBeGreaterThan(5);
    },
  );
});

/** Reads an export of dive, without what it calls a layer's archive, and with references in one order where they are alike. */
function exportOf(file: string): unknown {
  const { layer, image } = JSON.parse(readFileSync(file, 'utf8')) as {
    layer: { id: string }[];
    image: { fileReference: { file: string; sizeBytes: number }[] };
  };
  const fileReference = image.fileReference.toSorted(
    (a, b) => b.sizeBytes - a.sizeBytes || (a.file < b.file ? -1 : 1),
  );
  return { layer: layer.map((each) => ({ ...each, id: '' })), image: { ...image, fileReference } };
}

/** Lists the paths of an export of ncdu with their bytes, sorted. */
function listOf([, , , tree]: readonly unknown[]): readonly string[] {
  const walk = (node: unknown, above: string): string[] => {
    const [head, ...children] = Array.isArray(node) ? (node as unknown[]) : [node];
    const { name, asize = 0 } = head as { name: string; asize?: number };
    return [`${above}/${name} ${asize}`, ...children.flatMap((child) => walk(child, `${above}/${name}`))];
  };
  return walk(tree, '').toSorted();
}

it('the log for code scanning conforms to the schema of SARIF 2.1.0', async () => {
  const [file, schema] = [join(work, 'check.sarif'), join(work, 'sarif.schema.json')];
  writeFileSync(schema, sarifText);
  const gates = ['--max-layers', '1', '--forbid-path', 'small', '--forbid-root', '--require-label', 'a'];
  const line = ['check', `docker-archive:${archive('quirks')}`, ...gates, '--format', 'sarif', '-o', file];
  expect((await ocislim(line)).status).toBe(3);
  expect(readFileSync(file, 'utf8').match(/"ruleId"/g)).toHaveLength(4);
  await run('check-jsonschema', ['--schemafile', schema, file]);
  writeFileSync(file, readFileSync(file, 'utf8').replaceAll('"message"', '"massage"'));
  expect((await runToEnd('check-jsonschema', ['--schemafile', schema, file])).status).toBe(1);
});

it('published schemas take the files of gates and the documents that the commands write', async () => {
  const file = join(work, 'gates.yaml');
  writeFileSync(
    file,
    'version: 1\ncheck:\n  layers: 1\n  reclaimable: 5%\nwarn:\n  surface: { shells: 0 }\n',
  );
  const schema = (name: string) => ['--schemafile', join(root, `schemas/${name}.schema.json`)];
  await run('check-jsonschema', [...schema('gates'), file]);
  const [verdict, found] = [join(work, 'verdict.json'), join(work, 'analysis.json')];
  const image = `docker-archive:${archive('quirks')}`;
  await ocislim(['check', image, '--config', file, '--format', 'json', '-o', verdict]);
  await ocislim(['analyze', image, '--format', 'json', '-o', found]);
  await run('check-jsonschema', [...schema('verdict'), verdict]);
  await run('check-jsonschema', [...schema('analysis'), found]);
});
