/**
 * What the library reports while it works: warnings, details and the progress of tasks. Every room that works on bytes
 * sends these events; `cli/` renders them, since the library itself prints nothing.
 */

export type ProgressEvent =
  | { readonly type: 'warning'; readonly code: WarningCode; readonly message: string }
  | { readonly type: 'detail'; readonly message: string }
  /** What a person should know before the work goes on, and need not change. */
  | { readonly type: 'note'; readonly message: string }
  | ({ readonly type: 'task-start' } & TaskStart)
  | {
      readonly type: 'task-progress';
      readonly id: string;
      /** Bytes since the start of the task. */
      readonly bytes: number;
    }
  | {
      readonly type: 'task-end';
      readonly id: string;
      /** A phrase for a person: "mounted", "31.2 MB → 12.0 MB". */
      readonly outcome: string;
    };

/** The description of a task when it starts. */
export interface TaskStart {
  /** A name that is unique within the run. */
  readonly id: string;
  readonly phase: TaskPhase;
  /** A name for a person: "layer 3". */
  readonly label: string;
  /** Bytes that will pass, as they are stored at the source; null if unknown. */
  readonly total: number | null;
}

export type TaskPhase = 'run' | 'scan' | 'rewrite' | 'recompress' | 'copy' | 'publish';

export type WarningCode =
  | 'ATTESTATION_DROPPED'
  | 'REFERRERS_LEFT'
  | 'FAMILY_CHANGED'
  | 'NOT_AN_IMAGE'
  | 'LEFT_OUT'
  | 'NAME_LEFT_OUT'
  | 'HISTORY_MENDED'
  | 'LAYOUT_UNKNOWN'
  | 'LAYER_SKIPPED'
  | 'KEPT_FOR_LINK'
  | 'SCRATCH_SHORT'
  | 'FORCED'
  | 'BASE_HIDDEN'
  | 'TRACE_UNREADABLE'
  | 'TRACE_DOUBTFUL'
  | 'PACKAGES_UNREAD'
  | 'PACKAGES_LISTED'
  | 'FINDINGS_UNMATCHED'
  | 'VEX_EMPTY'
  | 'INSECURE'
  | 'WINDOW_CAPPED'
  | 'FRAMES_UNREAD'
  | 'CACHE_OFF'
  | 'RULE_UNUSED'
  | 'PROGRAM_MISSING'
  | 'PLATFORM_TIE'
  | 'REGISTRY_WARNING'
  | 'SETTING_IGNORED'
  | 'ENVIRONMENT_USED'
  | 'FLEET_LEFT_OUT'
  | 'FLEET_FAILED'
  | 'FILE_LEFT_OUT'
  | 'XATTRS_UNREAD';

/** Receives events in order; must not throw. */
export type Listener = (event: ProgressEvent) => void;

export const silent: Listener = () => {};

/** A task that has started. Every task ends: disposing of one without `end` reports that it did not finish. */
export interface Task extends Disposable {
  /** Reports bytes that have passed. Bytes that pass a second time, after `restart`, are not reported again. */
  readonly advance: (count: number) => void;
  /** Counts from zero again, since the work starts over. */
  restart(): void;
  /** Reports the end. Only the first call counts. */
  end(outcome: string): void;
}

/**
 * Starts a task and reports it to the listener. Bind the result with `using`, so that an error also ends the task:
 *
 *     using copy = task(listener, { id, phase: 'copy', label: 'layer 1', total });
 *     for await (const chunk of stream) copy.advance(chunk.length);
 *     copy.end('copied');
 */
export function task(listener: Listener, { id, phase, label, total }: TaskStart): Task {
  let passed = 0;
  let reported = 0;
  let hasEnded = false;
  const end = (outcome: string): void => {
    if (hasEnded) return;
    hasEnded = true;
    listener({ type: 'task-end', id, outcome });
  };
  listener({ type: 'task-start', id, phase, label, total });
  return {
    advance(count) {
      passed += count;
      if (passed <= reported) return;
      reported = passed;
      listener({ type: 'task-progress', id, bytes: passed });
    },
    restart() {
      passed = 0;
    },
    end,
    [Symbol.dispose]: () => end('not finished'),
  };
}
