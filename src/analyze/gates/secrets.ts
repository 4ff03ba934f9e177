/** The gate about secrets: in variables, in files of any layer, in instructions of the history. The table of gates has it. */
import { displayed } from './names.ts';
import { readInstruction } from '../instruction.ts';
import { secretsOf } from '../instruction-secrets.ts';
import { breach, type Breach, type BuildStep, type Gate } from './gate.ts';

const rotation = 'Take it out, replace it by a new one, and give it at run time';

export const secrets: Gate<true> = {
  title: 'Nothing in the image looks like a secret',
  isDeep: true,
  judge: (_, { analysis: { surface }, history }) => {
    if (surface === null) return [];
    return [
      ...surface.secretVariables.map((name) =>
        breach(`the variable ${name} looks like a secret`, { fix: rotation }),
      ),
      ...surface.secretFiles.map(
        ({ path, layer, visible }): Breach =>
          breach(
            `${displayed(path)} looks like a secret${visible ? '' : `, and layer ${layer} still holds it although no container sees it`}`,
            {
              fix: 'Use RUN --mount=type=secret, and replace the secret by a new one',
              command: visible ? null : ['prune', '--shadowed'],
              layer,
              path,
            },
          ),
      ),
      ...history.flatMap((step) => historyBreaches(step, surface.secretVariables)),
    ];
  },
};

/** Names what an instruction shows. A variable that the config still sets is told already. */
function historyBreaches({ createdBy, layer }: BuildStep, told: readonly string[]): readonly Breach[] {
  const instruction = readInstruction(createdBy);
  const isTold = (name: string) => instruction.keyword === 'ENV' && told.includes(name);
  const where = layer === null ? 'an instruction without a layer' : `layer ${layer}`;
  return secretsOf(instruction)
    .filter(({ name }) => !isTold(name))
    .map(({ kind, name }) =>
      breach(`the history shows the value of ${kind} ${name} of ${where}`, {
        fix: 'Use RUN --mount=type=secret, and replace the secret by a new one',
        layer,
      }),
    );
}
