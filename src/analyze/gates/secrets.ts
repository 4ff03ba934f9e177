/** The gate about secrets: in variables, in files of any layer, in build arguments. The table of gates has it. */
import { displayed } from './names.ts';
import { breach, type Breach, type Gate } from './gate.ts';

const rotation = 'Take it out, replace it by a new one, and give it at run time';

export const secrets: Gate<true> = {
  title: 'Nothing in the image looks like a secret',
  isDeep: true,
  judge: (_, { analysis: { surface } }) => {
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
    ];
  },
};
