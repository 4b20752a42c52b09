import type { DashboardState } from './dashboard-state.ts';
import type { Change } from './patch.ts';

/** Code with which the server closes a WebSocket whose first message has no valid token. */
export const wrongToken = 4401;

/** What a tab sends. The first message is `hello`. */
export type Request =
  | { readonly type: 'hello'; readonly token: string }
  /** Sends the whole state again. */
  | { readonly type: 'resync' }
  | ({ readonly type: 'start'; readonly id: string } & Action)
  /** Ends a program that this dashboard has started. */
  | { readonly type: 'stop'; readonly task: string }
  | { readonly type: 'ask'; readonly id: string; readonly what: Question }
  | ({ readonly type: 'logs'; readonly id: string } & LogQuery)
  /** The tab has room for so many lines more. */
  | { readonly type: 'credit'; readonly id: string; readonly lines: number }
  | { readonly type: 'end-logs'; readonly id: string }
  | { readonly type: 'forward'; readonly id: string; readonly target: string; readonly open: boolean };

/** The only commands that can be started, all without `--yes`. */
export type Action =
  | { readonly action: 'reload'; readonly services: readonly string[] }
  | { readonly action: 'watch'; readonly services: readonly string[] }
  | { readonly action: 'up' };

/** What is found out only when a tab asks. */
export type Question = 'doctor' | 'plan' | 'why' | 'usage';

export interface LogQuery {
  /** Components; none: all. */
  readonly components: readonly string[];
  /** Existing lines of each container. */
  readonly tail?: number;
  /** Milliseconds before now. */
  readonly since?: number;
  /** The run of each container before its current one, instead of this one. */
  readonly previous?: boolean;
}

/** One line: index of its source, time, level, text, and the number of missing lines if it is a gap (-1: unknown). */
export type SentLine = readonly [source: number, time: string, level: number, text: string, gap?: number];

export interface SentSource {
  readonly component: string;
  readonly pod: string;
  readonly container: string;
}

/** What the server sends. */
export type Message =
  /** Another version than that of the page: the page must be loaded again. */
  | { readonly type: 'welcome'; readonly version: string }
  /** `skipped` patches were not sent, because the tab was too slow. */
  | {
      readonly type: 'snapshot';
      readonly number: number;
      readonly state: DashboardState;
      readonly skipped: number;
    }
  | { readonly type: 'patch'; readonly number: number; readonly changes: readonly Change[] }
  | {
      readonly type: 'lines';
      readonly id: string;
      /** Sources that no earlier message has named, by index. */
      readonly sources?: Readonly<Record<number, SentSource>>;
      readonly lines: readonly SentLine[];
    }
  /** A log ends when it is not followed, or cannot be. */
  | { readonly type: 'lines-end'; readonly id: string; readonly error?: FailureView }
  | {
      readonly type: 'answer';
      readonly id: string;
      readonly exitCode: number;
      readonly value?: unknown;
      readonly error?: FailureView;
    };

export interface FailureView {
  readonly message: string;
  readonly because?: string;
  readonly fix?: string;
}
