/**
 * The things that a Dockerfile's step does to the layers below, as functions that add entries to a draft.
 * `layerStack` chooses among them by their weight.
 */
import {
  anyDirectory,
  deepPath,
  directoriesOf,
  existing,
  filesOf,
  freePath,
  join,
  linkedPaths,
  nameOf,
  ownPaths,
  pick,
  siblingOf,
} from './choices.ts';
import { add, type Draft, type Intent } from './draft.ts';
import {
  directory,
  file,
  hardLink,
  linkTo,
  opaque,
  sparseFile,
  special,
  symlink,
  whiteout,
} from './entries.ts';

export type IntentName = (typeof OPERATIONS)[number]['name'];
export type Operation = {
  readonly name: string;
  readonly weight: number;
  readonly run: (draft: Draft, intent: Intent) => void;
};

export const OPERATIONS = [
  {
    name: 'file',
    weight: 9,
    run: (draft, intent) => add(draft, intent, file(draft, intent, freePath(draft, intent))),
  },
  {
    name: 'directory',
    weight: 7,
    run: (draft, intent) => add(draft, intent, directory(intent, freePath(draft, intent))),
  },
  {
    name: 'hard link',
    weight: 8,
    run: (draft, intent) => add(draft, intent, hardLink(draft, intent, freePath(draft, intent))),
  },
  {
    name: 'whiteout',
    weight: 5,
    run: (draft, intent) => add(draft, intent, whiteout(existing(draft, intent, draft.lower))),
  },
  {
    name: 'overwrite',
    weight: 4,
    run: (draft, intent) => add(draft, intent, file(draft, intent, existing(draft, intent))),
  },
  {
    name: 'directory over',
    weight: 3,
    run: (draft, intent) => add(draft, intent, directory(intent, existing(draft, intent))),
  },
  {
    name: 'opaque',
    weight: 3,
    run: (draft, intent) => add(draft, intent, opaque(anyDirectory(draft, intent))),
  },
  {
    name: 'symlink',
    weight: 2,
    run: (draft, intent) => add(draft, intent, symlink(intent, freePath(draft, intent))),
  },
  {
    name: 'symlink over',
    weight: 1,
    run: (draft, intent) => add(draft, intent, symlink(intent, existing(draft, intent))),
  },
  {
    name: 'link over',
    weight: 2,
    run: (draft, intent) => add(draft, intent, hardLink(draft, intent, existing(draft, intent))),
  },
  {
    name: 'special',
    weight: 2,
    run: (draft, intent) => add(draft, intent, special(intent, freePath(draft, intent))),
  },
  {
    name: 'sparse',
    weight: 2,
    run: (draft, intent) => add(draft, intent, sparseFile(draft, intent, freePath(draft, intent))),
  },
  {
    name: 'deep file',
    weight: 4,
    run: (draft, intent) => add(draft, intent, file(draft, intent, deepPath(draft, intent))),
  },
  {
    name: 'whiteout of nothing',
    weight: 1,
    run: (draft, intent) => add(draft, intent, whiteout(freePath(draft, intent))),
  },
  {
    name: 'whiteout of own',
    weight: 2,
    run: (draft, intent) => {
      const path = pick(ownPaths(draft), intent.where);
      if (path !== undefined) add(draft, intent, whiteout(path));
    },
  },
  {
    name: 'duplicate',
    weight: 2,
    run: (draft, intent) => {
      const path = pick(ownPaths(draft), intent.where);
      if (path !== undefined) add(draft, intent, file(draft, intent, path));
    },
  },
  {
    // t2; ln t2 t1; t2'
    name: 'link between',
    weight: 2,
    run: (draft, intent) => {
      const path = freePath(draft, intent);
      const link = siblingOf(path, intent.target);
      add(draft, intent, file(draft, intent, path));
      add(draft, intent, linkTo(draft, intent, link, path));
      add(draft, intent, file(draft, { ...intent, data: intent.data + 1 }, path));
    },
  },
  {
    // `ln t l; rewrite t`, with t in a lower layer.
    name: 'link, then replace its target',
    weight: 1,
    run: (draft, intent) => {
      const target = pick(filesOf(draft.lower), intent.target);
      if (target === undefined) return;
      add(draft, intent, linkTo(draft, intent, freePath(draft, intent), target));
      add(draft, intent, file(draft, intent, target));
    },
  },
  {
    name: 'whiteout of a linked name',
    weight: 2,
    run: (draft, intent) => {
      const path = pick(linkedPaths(draft.lower), intent.where);
      if (path !== undefined) add(draft, intent, whiteout(path));
    },
  },
  {
    name: 'overwrite a linked name',
    weight: 2,
    run: (draft, intent) => {
      const path = pick(linkedPaths(draft.lower), intent.where);
      if (path !== undefined) add(draft, intent, file(draft, intent, path));
    },
  },
  {
    // rm -r d; mkdir d; touch d/new: with a whiteout or an opaque marker, before or after.
    name: 're-create',
    weight: 2,
    run: (draft, intent) => {
      const path = pick(directoriesOf(draft.lower).slice(1), intent.where);
      if (path === undefined) return;
      const marker = intent.target % 4 < 2 ? whiteout(path) : opaque(path);
      const after = intent.target % 2 === 1;
      if (!after) add(draft, intent, marker);
      add(draft, intent, directory(intent, path));
      add(draft, intent, file(draft, intent, join(path, nameOf(intent))));
      if (after) add(draft, intent, marker);
    },
  },
  {
    name: 'new opaque directory',
    weight: 1,
    run: (draft, intent) => {
      const path = freePath(draft, intent);
      add(draft, intent, directory(intent, path));
      add(draft, intent, opaque(path));
    },
  },
  {
    name: 'below a lower file',
    weight: 1,
    run: (draft, intent) => {
      const path = pick(filesOf(draft.lower), intent.where);
      if (path !== undefined) add(draft, intent, file(draft, intent, join(path, nameOf(intent))));
    },
  },
  {
    name: 'root',
    weight: 1,
    run: (draft, intent) => add(draft, intent, directory(intent, '')),
  },
  {
    name: 'leftover',
    weight: 1,
    run: (draft, intent) => {
      const directory = intent.where % 3 === 2 ? anyDirectory(draft, intent) : '';
      const names = ['.wh..wh.plnk', '.wh..wh.aufs', '.wh..wh.orph', '.wh..wh.plnk/12.34'];
      const name = names[intent.name % names.length] ?? '.wh..wh.aufs';
      const isDirectory = name.endsWith('plnk') || name.endsWith('orph');
      add(draft, intent, { name: join(directory, name), type: isDirectory ? 'dir' : 'file', mode: 0o600 });
    },
  },
  {
    name: 'global header',
    weight: 1,
    run: (draft, intent) =>
      add(draft, intent, { name: '', type: 'global', pax: [['comment', `c${intent.name}`]] }),
  },
] as const satisfies readonly Operation[];
