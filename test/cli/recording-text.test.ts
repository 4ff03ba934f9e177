import { describe, expect, it } from 'vitest';
import { recordingText, type WrittenRecording } from '../../src/cli/commands/recording-text.ts';
import { traceOf } from '../closure/rig.ts';
import { b } from '../support/bytes.ts';

const refusal = { call: 'setgroups', error: 'EPERM' };

function said(parts: Partial<WrittenRecording>): string[] {
  const text = recordingText({
    trace: traceOf({ 'bin/app': 'exec' }),
    end: { status: 1, signal: null, stopped: null, seconds: 1 },
    refusal: null,
    file: 'app.trace',
    launch: { users: 'all' },
    notInImage: null,
    results: [],
    ...parts,
  });
  return text.trimEnd().split('\n');
}

describe('a recording', () => {
  it('says how the command ended', () => {
    expect(said({})).toEqual(['ocislim: the command ended with 1; 1 paths in app.trace']);
    expect(said({ end: { status: 143, signal: 'SIGTERM', stopped: 'for', seconds: 1 } })).toEqual([
      'ocislim: the command was ended by SIGTERM; 1 paths in app.trace',
    ]);
  });

  it('says what to do for a command that becomes another user, where there is one only', () => {
    expect(said({ refusal, launch: { users: 'one' } }).slice(1)).toEqual([
      '  the command could not switch users (setgroups: EPERM): without root, this root filesystem has one user only',
      '  Record as root, install uidmap and have an entry in /etc/subuid, or name the user that the command becomes: --user USER.',
    ]);
    expect(said({ refusal }).join('\n')).toContain('CAP_SETUID');
    expect(said({ refusal, launch: { users: 'own' } })).toHaveLength(1);
  });

  it('names what the image does not have', () => {
    const notInImage = { count: 3, first: [b('a'), b('b\x1b')] };
    expect(said({ notInImage }).slice(1)).toEqual([
      '  not in the image: 3 opened paths: /a, /b\\x1b, and 1 more',
    ]);
    expect(said({ notInImage: { count: 0, first: [] } })).toHaveLength(1);
  });
});
