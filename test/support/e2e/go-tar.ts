/**
 * Reads tars with Go's archive/tar, by the program in fixtures/go-tar. Docker, containerd, podman and umoci read
 * layers with this package, so it is the judge of ocislim's reader.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { EntryKind } from '../../../src/tar/entry.ts';
import { describeContent, globalEntry, isOwnRecord, type ReadEntry, textOf } from '../corpus/reading.ts';
import { run } from './programs.ts';

/** An entry in the output of fixtures/go-tar. Texts are in base64. */
interface GoEntry {
  readonly Name: string;
  readonly Link: string;
  readonly Uname: string;
  readonly Gname: string;
  readonly Type: number;
  readonly Path: string;
  readonly Target: string;
  readonly Size: string;
  readonly Mode: string;
  readonly Uid: string;
  readonly Gid: string;
  readonly Seconds: string;
  readonly Nanoseconds: number;
  readonly Devmajor: string;
  readonly Devminor: string;
  readonly Records: readonly string[];
  readonly Sha256: string;
}

/** A tar as Go reads it: the entries, and the error that reading ended in; empty for none. */
export interface GoReading {
  readonly entries: readonly (ReadEntry | 'unknown')[];
  readonly error: string;
}

/** Builds fixtures/go-tar with the `go` in PATH. Everything that the build writes is in `folder`. */
export async function buildGoTar(folder: string): Promise<string> {
  const program = join(folder, 'go-tar');
  const source = fileURLToPath(new URL('../../../fixtures/go-tar/main.go', import.meta.url));
  await run('go', ['build', '-o', program, source], {
    env: {
      HOME: folder,
      GOCACHE: join(folder, 'go-cache'),
      GOFLAGS: '-mod=mod',
      GO111MODULE: 'off',
      GOTOOLCHAIN: 'local',
      CGO_ENABLED: '0',
    },
  });
  return program;
}

/** Reads tars with Go. @throws Error when the program fails */
export async function readByGo(program: string, tars: readonly Uint8Array[]): Promise<GoReading[]> {
  const child = spawn(program, { stdio: ['pipe', 'pipe', 'inherit'] });
  const written = (async () => {
    for (const tar of tars) {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(tar.length);
      child.stdin.write(length);
      if (!child.stdin.write(tar)) await new Promise((resolve) => child.stdin.once('drain', resolve));
    }
    child.stdin.end();
  })();
  const chunks: Buffer[] = [];
  for await (const chunk of child.stdout) chunks.push(chunk as Buffer);
  await written;
  const lines = Buffer.concat(chunks).toString('latin1').trimEnd().split('\n');
  if (lines.length !== tars.length)
    throw new Error(`go-tar answered ${lines.length} of ${tars.length} times`);
  return lines.map((line) => {
    const { Entries, Error: error } = JSON.parse(line) as { Entries: GoEntry[]; Error: string };
    return { entries: Entries.map(readEntry), error };
  });
}

const kinds: Readonly<Record<string, EntryKind>> = {
  '0': 'file',
  '7': 'file',
  S: 'file',
  '1': 'link',
  '2': 'symlink',
  '3': 'char',
  '4': 'block',
  '5': 'directory',
  '6': 'fifo',
  g: 'global',
};

function readEntry(entry: GoEntry): ReadEntry | 'unknown' {
  const kind = kinds[String.fromCharCode(entry.Type)];
  if (kind === undefined) return 'unknown';
  const name = textOf(entry.Name);
  if (kind === 'global') return globalEntry(name);
  const records = new Map<string, string>();
  for (let i = 0; i < entry.Records.length; i += 2)
    records.set(textOf(entry.Records[i] ?? ''), textOf(entry.Records[i + 1] ?? ''));
  const hasTarget = kind === 'link' || kind === 'symlink';
  return {
    kind,
    name,
    link: hasTarget ? textOf(entry.Link) : '',
    mode: entry.Mode,
    owner: `${entry.Uid}:${entry.Gid}`,
    names: `${textOf(entry.Uname)}:${textOf(entry.Gname)}`,
    mtime: `${entry.Seconds} ${entry.Nanoseconds}`,
    device: kind === 'char' || kind === 'block' ? `${entry.Devmajor},${entry.Devminor}` : '',
    records: [...records]
      .filter(([key]) => isOwnRecord(key))
      .map(([key, value]) => `${key}=${value}\n`)
      .sort()
      .join(''),
    content: kind === 'file' ? describeContent(entry.Size, entry.Sha256) : '',
    capable: (records.get('SCHILY.xattr.security.capability') ?? '') !== '',
    path: textOf(entry.Path),
    target: kind === 'link' ? textOf(entry.Target) : null,
  };
}
