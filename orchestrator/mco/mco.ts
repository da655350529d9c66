import type { Route } from '../api/route.ts';
import { createMessageSequences } from '../inventory/index.ts';
import { artifactRoute } from './artifact-routes.ts';
import { identityRoutes } from './identity-routes.ts';
import type { McoContext, McoOptions } from './mco-context.ts';
import { monitoringRoutes } from './monitoring-routes.ts';
import { reportRoutes } from './report-routes.ts';
import { createPolls } from './polls.ts';
import { createWantedChanges } from './wanted-changes.ts';
import { wantedRoute } from './wanted-route.ts';

/** The orchestrator's ends of Mco over HTTP, as routes. To be created before anything is committed by this leader. */
export function createMcoRoutes(options: McoOptions): readonly Route[] {
  const context: McoContext = {
    ...options,
    changes: createWantedChanges(options.store),
    sequences: createMessageSequences(options.store),
    polls: createPolls(),
  };
  return [
    ...identityRoutes(context),
    ...reportRoutes(context),
    wantedRoute(context),
    artifactRoute(context),
    ...monitoringRoutes(context),
  ];
}
