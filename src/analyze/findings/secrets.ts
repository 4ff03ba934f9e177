/**
 * Findings about secrets: in files of any layer, also those that upper layers delete, in environment variables, and in the history. They
 * name where a secret is, and never its value.
 */
import { quotePath } from '../../bytes/path.ts';
import { readRuntime } from '../../oci/runtime.ts';
import { secretVariables } from '../../rootfs/surface/secrets.ts';
import type { Steps } from '../../steps.ts';
import type { WasteFinding } from '../analysis.ts';
import { readInstruction } from '../instruction.ts';
import { secretsOf } from '../instruction-secrets.ts';
import { counted, type FindingContext, nameLayer, Places } from './finding.ts';
import type { SecretFile } from './secret-files.ts';

export function* secretFindings(context: FindingContext): Steps<readonly WasteFinding[]> {
  yield;
  const groups = Map.groupBy(
    context.secretFiles,
    ({ what, layer, hiddenBy }) => `${what} ${layer} ${hiddenBy}`,
  );
  return [
    ...[...groups.values()].map((group) => fileFinding(context, group)),
    ...environmentFindings(context),
    ...historyFindings(context),
  ];
}

/** Makes the finding for secrets of one kind in one layer that the same layer hides, or none. */
function fileFinding(context: FindingContext, group: readonly SecretFile[]): WasteFinding {
  const [{ what, layer, visible, hiddenBy, path }] = group as readonly [SecretFile, ...SecretFile[]];
  const places = new Places();
  for (const file of group) places.add(file.path, file.bytes, file.layer);
  const others = group.length === 1 ? '' : ` and ${counted(group.length - 1, 'more file')}`;
  const where = `${nameLayer(context, layer)} holds ${what} in ${quotePath(path)}${others}`;
  return {
    kind: 'secret-file',
    bytes: 0,
    files: group.length,
    layer,
    by: visible ? null : hiddenBy,
    why: visible
      ? where
      : `${where}: ${hiddenBy === layer ? 'a later entry' : nameLayer(context, hiddenBy)} hides it, but a pull of the image still brings it`,
    places: places.heaviest(),
    dockerfile:
      'Use RUN --mount=type=secret for what a build needs, and mount the rest when the container starts. Revoke what was published.',
    command: visible ? removing(group) : ['prune', '--shadowed'],
  };
}

/** Returns the command that removes files by their names; null where a name needs more than quotes. */
function removing(group: readonly SecretFile[]): readonly string[] | null {
  if (group.some(({ path }) => !/^[\w./@+-]+$/.test(path))) return null;
  return ['prune', ...group.flatMap(({ path }) => ['--rule', path])];
}

const atRunTime =
  'Give it when the container starts (docker run --env-file, a secret of the orchestrator). Revoke what was published.';
const bySecretMount =
  'Use RUN --mount=type=secret,id=… in place of build arguments and literals. Revoke what was published.';

function environmentFindings({ image }: FindingContext): readonly WasteFinding[] {
  const names = secretVariables(readRuntime(image.config).environment);
  return names.map((name) =>
    variableFinding(null, `the environment variable ${name} of the config looks like a secret`, atRunTime),
  );
}

/** Finds build arguments, variables, headers and passwords in URLs among the words of history rows. */
function historyFindings(context: FindingContext): readonly WasteFinding[] {
  const findings: WasteFinding[] = [];
  const { environment } = readRuntime(context.image.config);
  let layer = 0;
  for (const row of context.image.config.history) {
    if (!row.emptyLayer) layer++;
    if (row.createdBy === null) continue;
    const number = row.emptyLayer || layer > context.instructions.length ? null : layer;
    const where = number === null ? 'an instruction without a layer' : nameLayerOnly(number);
    for (const { kind, name } of secretsOf(readInstruction(row.createdBy), environment))
      findings.push(
        variableFinding(number, `the history shows the value of ${kind} ${name} of ${where}`, bySecretMount),
      );
  }
  return findings;
}

/** Names a layer without its instruction, which would show the value again. */
function nameLayerOnly(layer: number): string {
  return `layer ${layer}`;
}

function variableFinding(layer: number | null, why: string, dockerfile: string): WasteFinding {
  return {
    kind: 'secret-variable',
    bytes: 0,
    files: 0,
    layer,
    by: null,
    why,
    places: [],
    dockerfile,
    command: null,
  };
}
