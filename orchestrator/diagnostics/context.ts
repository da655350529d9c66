import type { Clock, IdSource, Logger } from '../../kernel/index.ts';
import type { LogOptions, WorkloadKey } from '../../vim-drivers/index.ts';
import type { StateStore } from '../store/index.ts';
import type { AgentStreams } from './agent-streams.ts';
import type { AuditLog } from './audit-log.ts';
import type { CommandSite } from './run-locally.ts';
import type { Streams } from './streams.ts';

/** A VIM that this process drives, as far as diagnostics go. */
export interface DiagnosticSite extends CommandSite {
  logs(key: WorkloadKey, options: LogOptions): AsyncIterable<Uint8Array>;
}

export interface DiagnosticsOptions {
  readonly store: StateStore;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly log: Logger;
  /** The VIM of that host. @throws IotmanoError `unavailable` where nothing drives it at this moment */
  readonly siteOf: (vimId: string) => DiagnosticSite;
}

/** What the parts of this room share. */
export interface DiagnosticsContext extends DiagnosticsOptions {
  readonly audit: AuditLog;
  readonly streams: Streams;
  readonly agents: AgentStreams;
}
