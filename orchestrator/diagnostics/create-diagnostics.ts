import type { Route } from '../api/route.ts';
import { createAgentStreams, type AgentStreams } from './agent-streams.ts';
import { createAuditLog } from './audit-log.ts';
import { auditRoutes } from './audit-routes.ts';
import type { DiagnosticsContext, DiagnosticsOptions } from './context.ts';
import { commandRoutes } from './command-routes.ts';
import { logRoutes } from './log-routes.ts';
import { createStreams } from './streams.ts';
import { isSwitchedOn } from './switches.ts';

export interface Diagnostics {
  readonly routes: readonly Route[];
  /** The other end of Mco-d. */
  readonly agents: AgentStreams;
  /** Notes that what a process before has left open has ended. */
  start(): void;
}

/** To be created before anything is committed by this leader. */
export function createDiagnostics(options: DiagnosticsOptions): Diagnostics {
  const { store, clock } = options;
  const audit = createAuditLog(store, clock);
  const streams = createStreams({ ...options, audit });
  const agents = createAgentStreams(store, clock, streams);
  const context: DiagnosticsContext = { ...options, audit, streams, agents };
  store.subscribe(({ entries }) => {
    if (!entries.some(({ kind }) => kind === 'diagnostics')) return;
    streams.endAll(({ order }) => !isSwitchedOn(store, order.kind), { reason: 'SWITCHED_OFF' });
  });
  return {
    routes: [...logRoutes(context), ...commandRoutes(context), ...auditRoutes(context)],
    agents,
    start: () => {
      const isOpen = (streamId: string): boolean => streams.find(streamId) !== undefined;
      store.commit(audit.closeAbandoned(isOpen));
    },
  };
}
