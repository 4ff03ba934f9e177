/** What the library tells while it works. It prints nothing itself: `cli/` renders these. */
export type ProgressEvent =
  | { readonly type: 'warning'; readonly code: WarningCode; readonly message: string }
  | { readonly type: 'detail'; readonly message: string }
  | {
      readonly type: 'task-start';
      /** Unique within the run. */
      readonly id: string;
      readonly phase: TaskPhase;
      /** For a person: "layer 3 of linux/amd64". */
      readonly label: string;
      /** Bytes to go through, when known: compressed source bytes. */
      readonly total: number | null;
    }
  | {
      readonly type: 'task-progress';
      readonly id: string /** Bytes since the start. */;
      readonly bytes: number;
    }
  | {
      readonly type: 'task-end';
      readonly id: string /** For a person: "mounted", "31.2 MB → 12.0 MB". */;
      readonly outcome: string;
    };

export type TaskPhase = 'scan' | 'rewrite' | 'recompress' | 'copy' | 'publish';

export type WarningCode =
  | 'ATTESTATION_DROPPED'
  | 'REFERRERS_LEFT'
  | 'FAMILY_CHANGED'
  | 'LAYER_SKIPPED'
  | 'KEPT_FOR_LINK'
  | 'SCRATCH_SHORT'
  | 'FORCED'
  | 'TRACE_UNREADABLE'
  | 'TRACE_DOUBTFUL'
  | 'PACKAGES_UNREAD'
  | 'INSECURE'
  | 'WINDOW_CAPPED'
  | 'CACHE_OFF'
  | 'RULE_UNUSED'
  | 'REGISTRY_WARNING'
  | 'SETTING_IGNORED';

/** Receives events in order; must not throw. */
export type Listener = (event: ProgressEvent) => void;

export const silent: Listener = () => {};
