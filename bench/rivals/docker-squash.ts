import { fileURLToPath } from 'node:url';
import { program, type Argv } from '../measure/command.ts';
import { resultArchive, type Rival, type Task } from '../works/work.ts';

const script = fileURLToPath(new URL('docker-squash.py', import.meta.url));
/** The Python that has docker-squash, as install-rivals.sh links it. */
const python = 'docker-squash-python';

function squash(...layers: Argv): (task: Task) => ReturnType<typeof program> {
  return (task) => program(python, script, task.archive, resultArchive(task), ...layers);
}

export const dockerSquash: Rival = {
  name: 'docker-squash',
  programs: [python],
  versions: { 'docker-squash': [python, '-c', 'from docker_squash.version import version; print(version)'] },
  contenders: [
    {
      work: 'squash-archive',
      label: 'docker-squash',
      differs: 'its own routine with the daemon left out; unpacks the archive to disk',
      command: squash(),
    },
    {
      work: 'squash-last',
      label: 'docker-squash',
      differs: 'its own routine with the daemon left out; unpacks the archive to disk',
      command: squash('2'),
    },
    {
      work: 'help',
      label: 'docker-squash',
      command: () => program(python, '-m', 'docker_squash.cli', '--help'),
    },
  ],
};
